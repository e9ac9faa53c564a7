use std::time::Instant;

use tokio::io::AsyncWriteExt as _;

use super::*;

fn sh(script: &str) -> Piped {
    Program::new("/bin/sh", vec!["-c".into(), script.into()]).open().unwrap()
}

async fn rest(mut io: Piped) -> Result<String, String> {
    let mut text = String::new();
    io.read_to_string(&mut text).await.map_err(|error| error.to_string())?;
    Ok(text)
}

#[tokio::test]
async fn bytes_go_both_ways() {
    let mut io = sh("cat");
    io.write_all(b"there and back").await.unwrap();
    io.flush().await.unwrap();
    let mut back = [0; 14];
    io.read_exact(&mut back).await.unwrap();
    assert_eq!(&back, b"there and back");
}

#[tokio::test]
async fn an_end_without_failure_is_an_end() {
    assert_eq!(rest(sh("printf done")).await.unwrap(), "done");
}

#[tokio::test]
async fn a_failure_is_told_in_the_programs_words() {
    let error = rest(sh("echo 'Permission denied (publickey).' >&2; exit 255")).await.unwrap_err();
    assert!(error.contains("255") && error.contains("Permission denied (publickey)."), "{error}");
    let silent = rest(sh("exit 3")).await.unwrap_err();
    assert!(silent.contains("said nothing"), "{silent}");
    let long = rest(sh("yes complaint | head -c 100000 >&2; echo last >&2; exit 1")).await;
    let long = long.unwrap_err();
    assert!(long.ends_with("last") && long.len() < 5000);
}

#[tokio::test]
async fn writing_to_a_program_that_failed_tells_why() {
    let mut io = sh("exec <&-; echo gone >&2; exit 9");
    let error = loop {
        if let Err(error) = io.write_all(&[0; 4096]).await {
            break error.to_string();
        }
    };
    assert!(error.contains("gone"), "{error}");
}

#[tokio::test]
async fn a_program_that_is_not_there_is_named() {
    let error = Program::new("cofferdam-no-such-program", Vec::new()).open().err().unwrap();
    assert!(error.to_string().contains("cannot run cofferdam-no-such-program"), "{error}");
    assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
}

#[tokio::test]
async fn a_childs_open_stderr_does_not_hold_us_up() {
    let started = Instant::now();
    let error = rest(sh("sleep 30 >&- <&- & echo here >&2; exit 1")).await.unwrap_err();
    assert!(started.elapsed() < Duration::from_secs(10), "{error}");
    assert!(error.contains("here"), "what it said before is not lost: {error}");
}

#[tokio::test]
async fn it_runs_in_a_session_of_its_own_without_other_registries_credentials() {
    let own = rest(sh("cut -d' ' -f6 /proc/self/stat; echo ${DOCKER_AUTH_CONFIG-unset}")).await;
    let own = own.unwrap();
    let ours = std::fs::read_to_string("/proc/self/stat").unwrap();
    assert_ne!(own.lines().next(), ours.split(' ').nth(5));
    assert!(own.contains("unset"));
}
