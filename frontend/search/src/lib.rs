//! Finds secrets in bytes, and says what it could not look for.
//!
//! ```
//! use cofferdam_search::{Needles, Searcher};
//!
//! let needles = Needles::new([("token", b"s3cr3t-v4lue")]);
//! let mut search = Searcher::new(&needles);
//! search.feed(b"TOKEN=czNjcjN0LXY0bHVl");
//! let found = search.finish();
//! assert_eq!(needles.id(found.hits[0].needle), "token");
//! assert_eq!(found.hits[0].transform.name(), "base64");
//! ```
//!
//! [`Needles`] are made once of the values that a build may know, and shared by as many searchers as
//! there are threads:
//!
//! - [`FileSearcher`] takes files, one after the other, and follows the containers in them;
//! - [`Searcher`] takes one stream of bytes in chunks of any size;
//! - [`Needles::search`] takes bytes that are there at once: names, labels, documents;
//! - [`Redactor`] passes a log on without them.
//!
//! What the needles cannot prove the absence of is in [`Needles::gaps`]; the transforms that were
//! looked under are [`Transform::ALL`], the containers [`Container::READ`]. Secrets that nobody told
//! us of are found by their [`shape`], in [`unknown`].
//!
//! Each byte is passed over once, at some gigabytes a second (`cargo bench`). Nothing here knows
//! files, the environment, threads or a terminal. No type prints secret bytes.

mod file;
mod hit;
mod index;
mod needles;
mod redactor;
mod searcher;
pub mod shape;
mod transform;
pub mod unknown;

pub use self::file::{
    Container, FileHit, FileSearcher, FileSuspect, Limits, Obstacle, Report, Unread, zstd_frames,
};
pub use self::hit::{Found, Hit};
pub use self::needles::{Gap, Needles, Part, Reason, SHORTEST};
pub use self::redactor::{MARK, Redactor};
pub use self::searcher::Searcher;
pub use self::transform::Transform;
