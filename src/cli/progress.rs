//! What is being done, where a person waits for it: on standard error if that is a terminal, after a second, and gone
//! before anything else is said.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::console;

/// What takes less is over before it is read.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often the clock is drawn.
const TICK: Duration = Duration::from_millis(100);

/// A line on the terminal while it lives.
pub(crate) struct Progress {
    bar: ProgressBar,
    appearing: Option<Appearing>,
}

/// The thread that shows the line, and what tells it that the line is gone.
struct Appearing {
    alive: Sender<()>,
    thread: JoinHandle<()>,
}

impl Progress {
    /// Something of unknown length.
    pub(crate) fn spinner(doing: &'static str) -> Self {
        Self::new(
            ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden()).with_message(doing),
            "{spinner} {msg}, {elapsed}",
        )
    }

    /// So many samples.
    pub(crate) fn samples(count: usize) -> Self {
        Self::new(
            ProgressBar::with_draw_target(Some(count as u64), ProgressDrawTarget::hidden()),
            "{bar:40} {pos} of {len} samples, {eta} left",
        )
    }

    fn new(bar: ProgressBar, template: &str) -> Self {
        bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner()));
        let appearing = console::is_watched().then(|| {
            let (alive, gone) = mpsc::channel();
            let shown = bar.clone();
            let thread = thread::spawn(move || {
                if gone.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                    shown.set_draw_target(ProgressDrawTarget::stderr());
                    shown.enable_steady_tick(TICK);
                }
            });
            Appearing { alive, thread }
        });
        Progress { bar, appearing }
    }

    /// Says what is done now.
    pub(crate) fn doing(&self, what: impl std::fmt::Display) {
        self.bar.set_message(what.to_string());
    }

    /// One more sample is done.
    pub(crate) fn advance(&self) {
        self.bar.inc(1);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        // The thread must not show the line behind its end.
        if let Some(Appearing { alive, thread }) = self.appearing.take() {
            drop(alive);
            let _ = thread.join();
        }
        self.bar.finish_and_clear();
    }
}

/// Does something, and says so if it takes its time.
pub(crate) fn during<T>(doing: &'static str, job: impl FnOnce() -> T) -> T {
    let _progress = Progress::spinner(doing);
    job()
}
