//! No layer.

use tower::BoxError;

fn main() -> Result<(), BoxError> {
    trysail_size::call(trysail_size::flaky())
}
