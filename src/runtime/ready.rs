//! The ready queue: the jobs of a loop's next pass.

use crate::value::context::Context;
use crate::value::future::NativeCallback;
use crate::value::*;
use std::collections::VecDeque;
use std::rc::Rc;

/// With more jobs than this, what they use will have left the caches before their turn. More than
/// [`approach`] looks ahead.
const CROWD: usize = 16;

/// Something that waits for its turn in the loop.
#[derive(Clone)]
pub enum Job {
    /// A task's first step, or the next one after it gave way.
    Step(Ref<Future>),
    /// A task goes on because what it waited for is done.
    Wake(Ref<Future>, Ref<Future>),
    /// An exception is thrown into a task.
    Throw(Ref<Future>, Ref<Exception>),
    /// A sleep is over.
    Settle(Ref<Future>),
    /// `callback(future)`
    Script(Value, Rc<Context>, Ref<Future>),
    Native(NativeCallback, Ref<Future>),
    /// A handle's callback.
    Handle(Value),
}

impl Job {
    /// Brings near the futures that it holds.
    #[inline(always)]
    fn prefetch(&self) {
        match self {
            Job::Step(future) | Job::Throw(future, _) | Job::Settle(future) => future.prefetch(),
            Job::Script(_, _, future) | Job::Native(_, future) => future.prefetch(),
            Job::Wake(task, by) => {
                task.prefetch();
                by.prefetch();
            }
            Job::Handle(_) => {}
        }
    }

    /// The task that it steps.
    #[inline(always)]
    fn task(&self) -> Option<&pool::Piece<TaskState>> {
        match self {
            Job::Step(future) | Job::Wake(future, _) | Job::Throw(future, _) => future.task.as_ref(),
            Job::Settle(_) | Job::Script(..) | Job::Native(..) | Job::Handle(_) => None,
        }
    }

    /// Shows the futures, and what else it holds.
    pub fn each_part(&self, each: &mut dyn FnMut(&Value)) {
        let mut future = |future: &Ref<Future>| each(&future.clone().into());
        match self {
            Job::Step(it) | Job::Settle(it) | Job::Native(_, it) => future(it),
            Job::Wake(task, by) => {
                future(task);
                future(by);
            }
            Job::Throw(task, exception) => {
                future(task);
                each(&exception.clone().into());
            }
            Job::Script(callback, _, it) => {
                each(callback);
                each(&it.clone().into());
            }
            Job::Handle(handle) => each(handle),
        }
    }

    pub fn parts(&self) -> Vec<Value> {
        let mut parts = Vec::new();
        self.each_part(&mut |part| parts.push(part.clone()));
        parts
    }
}

/// Takes the next job.
#[inline(always)]
pub fn next(ready: &mut VecDeque<Job>) -> Option<Job> {
    if ready.len() > CROWD {
        approach(ready);
    }
    ready.pop_front()
}

/// Brings near what the next jobs will use, one link of the chain from job to frame at a time, each
/// when the one before has arrived: that takes about as long as two jobs (benchmark: sched/timers).
#[inline(always)]
fn approach(ready: &VecDeque<Job>) {
    ready[8].prefetch();
    if let Some(task) = ready[6].task() {
        task.prefetch();
    }
    if let Some(task) = ready[4].task() {
        task.coroutine.prefetch();
    }
    if let Some(task) = ready[2].task()
        && let Value::Generator(ref coroutine) = task.coroutine.get()
    {
        coroutine.prefetch_frame();
    }
}
