//! A result that somebody else reads while it comes, such as an image on its way into Docker.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio_stream::Stream;

use super::ReceiveError;

/// Messages of the engine that wait for the reader: of 32 KiB, as engines send them, or less.
const ROOM: usize = 32;

/// What is said to an engine whose result is not wanted any more; whoever read it knows why.
pub const UNREAD: &str = "nobody reads it any more";

/// The writing end; it is used up by the one result that goes through it.
#[derive(Clone, Debug)]
pub struct Pipe(Arc<Mutex<Option<mpsc::Sender<io::Result<Bytes>>>>>);

/// The reading end: ends when the result did, with an error when it broke off.
#[derive(Debug)]
pub struct Piped(mpsc::Receiver<io::Result<Bytes>>);

/// A new pipe.
pub fn pipe() -> (Pipe, Piped) {
    let (sender, receiver) = mpsc::channel(ROOM);
    (Pipe(Arc::new(Mutex::new(Some(sender)))), Piped(receiver))
}

impl Pipe {
    /// Lets `copy` write through it. Blocks while the reader is behind.
    pub(super) fn fill(
        &self,
        copy: impl FnOnce(&mut dyn FnMut(Bytes) -> Result<(), ReceiveError>) -> Result<(), ReceiveError>,
    ) -> Result<(), ReceiveError> {
        let sender = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let gone = || ReceiveError::Interrupted { message: UNREAD.into() };
        let sender = sender.ok_or_else(gone)?;
        let copied = copy(&mut |bytes| sender.blocking_send(Ok(bytes)).map_err(|_| gone()));
        if let Err(error) = &copied {
            // Without a word, what came so far would look whole.
            let _ = sender.blocking_send(Err(io::Error::other(error.to_string())));
        }
        copied
    }

    /// Ends a pipe that nothing went into.
    pub(super) fn close(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

impl Piped {
    /// The first bytes; `None` when there will be none.
    pub async fn first(&mut self) -> Option<io::Result<Bytes>> {
        self.0.recv().await
    }
}

impl Stream for Piped {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio_stream::StreamExt as _;

    use super::*;

    fn whole(pipe: Pipe, end: Result<(), ReceiveError>) -> std::thread::JoinHandle<bool> {
        std::thread::spawn(move || {
            let filled = pipe.fill(|write| {
                for byte in 0..100 {
                    write(Bytes::from(vec![byte; 10]))?;
                }
                end
            });
            filled.is_ok()
        })
    }

    #[tokio::test]
    async fn bytes_come_out_in_order_and_the_end_tells_how_it_went() {
        let (pipe, mut piped) = pipe();
        let writer = whole(pipe.clone(), Ok(()));
        let first = piped.first().await.unwrap().unwrap();
        assert_eq!(first, vec![0; 10]);
        let rest: Vec<_> = piped.collect::<Result<_, _>>().await.unwrap();
        assert_eq!(rest.len(), 99);
        assert!(rest.iter().zip(1..).all(|(bytes, n)| *bytes == vec![n; 10]));
        assert!(writer.join().unwrap());
        // There is no second result.
        assert!(pipe.fill(|_| Ok(())).is_err());
    }

    #[tokio::test]
    async fn what_breaks_off_does_not_look_whole() {
        let (pipe, piped) = pipe();
        let broken = ReceiveError::Interrupted { message: "it hung up".into() };
        let writer = whole(pipe, Err(broken));
        let read: Vec<_> = piped.collect().await;
        assert!(read.last().unwrap().is_err());
        assert!(!writer.join().unwrap());
    }

    #[tokio::test]
    async fn a_reader_that_leaves_stops_the_writer() {
        let (pipe, piped) = pipe();
        drop(piped);
        assert!(!whole(pipe, Ok(())).join().unwrap());
    }

    #[tokio::test]
    async fn a_pipe_that_nothing_came_through_ends() {
        let (pipe, mut piped) = pipe();
        pipe.close();
        assert!(piped.first().await.is_none());
    }
}
