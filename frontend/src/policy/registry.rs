//! All rules.

use super::rule::Rule;
use super::rules;

/// Sorted by id.
static RULES: &[&dyn Rule] = &[
    &rules::apt_command::AptCommand,
    &rules::bad_expose::BadExpose,
    &rules::base_from_arg::BaseFromArg,
    &rules::build_tools::BuildTools,
    &rules::credentials_in_url::CredentialsInUrl,
    &rules::elsewhere::DEVICE_NODE,
    &rules::elsewhere::DUPLICATE_ID,
    &rules::duplicate_stage::DuplicateStage,
    &rules::empty_password::EmptyPassword,
    &rules::elsewhere::EXCEPTION_EXPIRED,
    &rules::elsewhere::FILE_CAPABILITIES,
    &rules::elsewhere::GIT_DIRECTORY,
    &rules::git_ref::GitRef,
    &rules::host_key_unchecked::HostKeyUnchecked,
    &rules::host_network::HostNetwork,
    &rules::insecure_exec::InsecureExec,
    &rules::invisible_characters::InvisibleCharacters,
    &rules::latest_tag::LatestTag,
    &rules::local_add::LocalAdd,
    &rules::missing_yes::MissingYes,
    &rules::needless_package::NeedlessPackage,
    &rules::elsewhere::NESTED_BUILD,
    &rules::no_healthcheck::NoHealthcheck,
    &rules::nonroot_user::NonrootUser,
    &rules::elsewhere::NOT_LOCKED,
    &rules::numeric_user::NumericUser,
    &rules::elsewhere::ONBUILD_TRIGGER,
    &rules::package_cache::PackageCache,
    &rules::piped_download::PipedDownload,
    &rules::pipefail::Pipefail,
    &rules::plain_http::PlainHttp,
    &rules::elsewhere::POLICY_DISABLED,
    &rules::recommended_packages::RecommendedPackages,
    &rules::registry_not_allowed::RegistryNotAllowed,
    &rules::relative_workdir::RelativeWorkdir,
    &rules::remote_add::RemoteAdd,
    &rules::secret_file_copied::SecretFileCopied,
    &rules::secret_in_arg::SecretInArg,
    &rules::elsewhere::SECRET_IN_CONTEXT,
    &rules::elsewhere::SECRET_IN_IMAGE,
    &rules::elsewhere::SECRET_IN_LOG,
    &rules::secret_in_run::SecretInRun,
    &rules::secret_mount_leaked::SecretMountLeaked,
    &rules::sensitive_volume::SensitiveVolume,
    &rules::elsewhere::SETGID_DIRECTORY,
    &rules::elsewhere::SETUID_LEFT,
    &rules::several_commands::SeveralCommands,
    &rules::several_processes::SeveralProcesses,
    &rules::shell_form::ShellForm,
    &rules::elsewhere::SHELL_HISTORY,
    &rules::signatures_off::SignaturesOff,
    &rules::elsewhere::SOURCE_POLICY,
    &rules::stale_base::StaleBase,
    &rules::sudo::Sudo,
    &rules::elsewhere::SUDO_WITHOUT_PASSWORD,
    &rules::system_upgrade::SystemUpgrade,
    &rules::tls_off::TlsOff,
    &rules::unchecked_download::UncheckedDownload,
    &rules::undefined_variable::UndefinedVariable,
    &rules::elsewhere::UNKNOWN_SECRET,
    &rules::elsewhere::UNKNOWN_SOURCE,
    &rules::elsewhere::UNKNOWN_USER,
    &rules::unpinned_frontend::UnpinnedFrontend,
    &rules::unpinned_image::UnpinnedImage,
    &rules::unpinned_package::UnpinnedPackage,
    &rules::update_alone::UpdateAlone,
    &rules::world_writable::WorldWritable,
    &rules::elsewhere::WRITABLE_ENTRYPOINT,
];

/// All rules, sorted by id.
pub fn every_rule() -> impl Iterator<Item = &'static dyn Rule> {
    RULES.iter().copied()
}

/// The rule with this id.
pub fn rule(id: &str) -> Option<&'static dyn Rule> {
    every_rule().find(|rule| rule.about().id == id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_sorted_and_unique() {
        let ids: Vec<&str> = every_rule().map(|rule| rule.about().id).collect();
        assert!(ids.is_sorted_by(|a, b| a < b), "{ids:?}");
        for id in ids {
            assert!(id.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{id}");
        }
    }

    #[test]
    fn every_page_is_about_its_rule() {
        for about in every_rule().map(|rule| rule.about()) {
            assert!(about.page.starts_with(&format!("# {}\n", about.id)), "{}", about.id);
        }
    }
}
