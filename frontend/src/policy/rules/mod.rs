//! One rule, one file, one name: here, in `docs/rules` and in `examples/policy`.

pub mod apt_command;
pub mod base_from_arg;
pub mod build_tools;
pub mod elsewhere;
pub mod empty_password;
pub mod host_key_unchecked;
pub mod latest_tag;
pub mod local_add;
pub mod missing_yes;
pub mod needless_package;
pub mod package_cache;
pub mod piped_download;
pub mod plain_http;
pub mod recommended_packages;
pub mod registry_not_allowed;
pub mod signatures_off;
pub mod stale_base;
pub mod sudo;
pub mod system_upgrade;
pub mod tls_off;
pub mod unchecked_download;
pub mod unpinned_frontend;
pub mod unpinned_image;
pub mod unpinned_package;
pub mod update_alone;
pub mod world_writable;
