//! The ready queue: the jobs of a loop's next pass.

use crate::value::context::Context;
use crate::value::future::NativeCallback;
use crate::value::*;
use std::collections::VecDeque;
use std::rc::Rc;

/// With more jobs than this, what they use will have left the caches before their turn. More than
/// [`Ready::approach`] looks ahead.
const CROWD: usize = 16;

/// So many jobs stand in a block.
const BLOCK: usize = 2048;

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

/// The jobs that are ready, in their order.
///
/// A crowd stands in blocks, each of which is given back when its jobs have run: a single list would
/// move every time it grows, and the kernel would have to provide twice the memory (benchmark:
/// sched/million_sleepers).
pub struct Ready {
    first: VecDeque<Job>,
    /// With fewer jobs in the first block new ones join it; none do while there are others behind.
    joining: usize,
    /// Only the last one is not full.
    behind: VecDeque<VecDeque<Job>>,
}

impl Default for Ready {
    fn default() -> Ready {
        Ready {
            first: VecDeque::new(),
            joining: BLOCK,
            behind: VecDeque::new(),
        }
    }
}

impl Ready {
    #[inline(always)]
    pub fn push(&mut self, job: Job) {
        if self.first.len() < self.joining {
            self.first.push_back(job);
        } else {
            self.push_behind(job);
        }
    }

    fn push_behind(&mut self, job: Job) {
        self.joining = 0;
        match self.behind.back_mut() {
            Some(last) if last.len() < BLOCK => last.push_back(job),
            _ => {
                let mut block = VecDeque::with_capacity(BLOCK);
                block.push_back(job);
                self.behind.push_back(block);
            }
        }
    }

    /// Takes the next job.
    #[inline(always)]
    pub fn pop(&mut self) -> Option<Job> {
        if self.first.len() > CROWD {
            self.approach();
        }
        if self.first.is_empty() {
            self.move_up();
        }
        self.first.pop_front()
    }

    /// The next block, if there is one, becomes the first.
    #[cold]
    fn move_up(&mut self) {
        if let Some(next) = self.behind.pop_front() {
            self.first = next;
        }
        if self.behind.is_empty() {
            self.joining = BLOCK;
        }
    }

    /// Brings near what the next jobs will use, one link of the chain from job to frame at a time,
    /// each when the one before has arrived: that takes about as long as two jobs (benchmark:
    /// sched/timers).
    #[inline(always)]
    fn approach(&self) {
        let (next, _) = self.first.as_slices();
        let Some(next) = next.first_chunk::<9>() else {
            return; // where the queue wraps
        };
        next[8].prefetch();
        if let Some(task) = next[6].task() {
            task.prefetch();
        }
        if let Some(task) = next[4].task() {
            task.coroutine.prefetch();
        }
        if let Some(task) = next[2].task()
            && let Value::Generator(ref coroutine) = task.coroutine.get()
        {
            coroutine.prefetch_frame();
        }
    }

    #[inline]
    pub fn len(&self) -> usize {
        let behind = match self.behind.back() {
            None => 0,
            Some(last) => (self.behind.len() - 1) * BLOCK + last.len(),
        };
        self.first.len() + behind
    }

    pub fn is_empty(&self) -> bool {
        self.first.is_empty() && self.behind.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = &Job> {
        self.first.iter().chain(self.behind.iter().flatten())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A queue of handles of numbers.
    fn push(ready: &mut Ready, numbers: std::ops::Range<usize>) {
        numbers.for_each(|i| ready.push(Job::Handle(Value::Int(i as i64))));
    }

    fn pop(ready: &mut Ready, count: usize) -> Vec<usize> {
        let number = |job| match job {
            Some(Job::Handle(Value::Int(i))) => i as usize,
            _ => panic!("no number"),
        };
        (0..count).map(|_| number(ready.pop())).collect()
    }

    #[test]
    fn jobs_come_in_their_order_over_many_blocks() {
        let mut ready = Ready::default();
        let (mut pushed, mut popped) = (0, 0);
        for (more, fewer) in [(3, 2), (3 * BLOCK, BLOCK), (BLOCK + 1, 3 * BLOCK + 2), (5, 5)] {
            push(&mut ready, pushed..pushed + more);
            pushed += more;
            assert_eq!(ready.len(), pushed - popped);
            assert_eq!(ready.iter().count(), pushed - popped);
            assert!(pop(&mut ready, fewer).into_iter().eq(popped..popped + fewer));
            popped += fewer;
        }
        assert!(ready.is_empty());
        assert!(ready.pop().is_none());
    }
}
