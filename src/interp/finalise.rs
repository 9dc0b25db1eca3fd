//! Finalisers: `__del__` of instances, run when the last reference goes
//! (https://docs.python.org/3/reference/datamodel.html#object.__del__).

use super::{call, report};
use crate::source::name;
use crate::value::*;

/// Runs the `__del__` of an instance that nobody refers to any more. What is pending, and what is
/// being handled, stays as it is; an exception in the finaliser is told and forgotten.
pub fn run(instance: Ref<Instance>) {
    let aside = exception::lay_aside();
    let object = Value::from(instance);
    if let Some(Err(raised)) = call::call_special(&object, name::DEL, &[]) {
        report::unraisable(raised, &object);
    }
    drop(object);
    exception::put_back(aside);
}
