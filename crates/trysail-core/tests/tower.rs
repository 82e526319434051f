//! The one exception to "a feature never changes a default": with `tower`, its errors are known by type.

use std::{error::Error, fmt, io};

use tower::{load_shed::error::Overloaded, timeout::error::Elapsed};
use trysail_core::{Classified, Verdict};

/// Stands for any error that nobody knows.
#[derive(Debug)]
struct Foreign;

impl fmt::Display for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("service overloaded")
    }
}

impl Error for Foreign {}

fn verdict(error: impl Error + Send + Sync + 'static) -> Verdict {
    Box::<dyn Error + Send + Sync>::from(error).verdict()
}

#[test]
fn without_the_feature_tower_its_errors_are_like_any_other() {
    let local = if cfg!(feature = "tower") { Verdict::REFUSED } else { Verdict::TRANSIENT };
    assert_eq!(verdict(Overloaded::new()), local);
    assert_eq!(verdict(Elapsed::new()), Verdict::TRANSIENT);
}

#[test]
fn an_error_is_known_by_its_type_and_never_by_its_words() {
    assert_eq!(verdict(Foreign), Verdict::TRANSIENT);
    assert_eq!(verdict(io::Error::other(Foreign)), Verdict::TRANSIENT);
}
