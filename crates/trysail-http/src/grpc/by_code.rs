use std::fmt;

use trysail_core::{Classifier, Verdict};

use crate::grpc;

/// The judge of a gRPC client: an answer is a success, and an error is judged by the code that a closure reads of it.
///
/// It fits tonic's `Status` by `ByCode(|status: &tonic::Status| status.code() as i32)`, below the policies:
///
/// ```
/// use trysail_core::{Class, Classifier, Retryable};
/// use trysail_http::grpc::ByCode;
/// # mod tonic {
/// #     #[derive(Clone, Copy)]
/// #     pub enum Code { Unavailable = 14 }
/// #     pub struct Status(pub Code);
/// #     impl Status { pub fn code(&self) -> Code { self.0 } }
/// # }
///
/// let judge = ByCode(|status: &tonic::Status| status.code() as i32);
///
/// let down = tonic::Status(tonic::Code::Unavailable);
/// let verdict = judge.classify(Err::<&(), _>(&down));
/// assert_eq!((verdict.class(), verdict.retry()), (Class::Transient, Retryable::Yes));
/// ```
///
/// A closure of one's own heeds the server's [`pushback`](grpc::pushback) as well:
///
/// ```
/// # use std::collections::HashMap;
/// use trysail_core::{Classifier, Verdict};
/// use trysail_http::grpc;
/// # #[derive(Clone, Copy)]
/// # enum Code { Unavailable = 14 }
/// # struct Value(&'static str);
/// # impl Value { fn to_str(&self) -> Result<&str, ()> { Ok(self.0) } }
/// # struct Status(HashMap<&'static str, Value>);
/// # impl Status {
/// #     fn code(&self) -> Code { Code::Unavailable }
/// #     fn metadata(&self) -> &HashMap<&'static str, Value> { &self.0 }
/// # }
/// # type Reply = ();
///
/// let judge = |outcome: Result<&Reply, &Status>| {
///     let Err(status) = outcome else { return Verdict::SUCCESS };
///     let pushback = status.metadata().get(grpc::PUSHBACK).and_then(|value| value.to_str().ok());
///     grpc::pushback(grpc::verdict(status.code() as i32), pushback)
/// };
/// # let status = Status(HashMap::from([(grpc::PUSHBACK, Value("1500"))]));
/// # let verdict = judge.classify(Err(&status));
/// # assert_eq!(verdict.retry_after(), Some(std::time::Duration::from_millis(1_500)));
/// ```
#[derive(Clone, Copy)]
pub struct ByCode<F>(pub F);

impl<F, Res, E> Classifier<Res, E> for ByCode<F>
where
    F: Fn(&E) -> i32,
{
    fn classify(&self, outcome: Result<&Res, &E>) -> Verdict {
        outcome.map_or_else(|error| grpc::verdict((self.0)(error)), |_| Verdict::SUCCESS)
    }
}

impl<F> fmt::Debug for ByCode<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ByCode").finish_non_exhaustive()
    }
}
