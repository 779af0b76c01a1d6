//! A sign of life while a query takes long, for whoever watches at a terminal.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::time::Duration;

/// A wait that is shorter is not worth a sign.
const QUIET: Duration = Duration::from_millis(400);
const TICK: Duration = Duration::from_millis(100);

/// Waits for `work`, and shows how long on standard error if that is a terminal.
/// Nothing of it is left there afterwards.
pub async fn turning<T>(work: impl Future<Output = T>) -> T {
    if !std::io::stderr().is_terminal() {
        return work.await;
    }
    tokio::pin!(work);
    if let Ok(done) = tokio::time::timeout(QUIET, &mut work).await {
        return done;
    }
    let style = ProgressStyle::with_template("{spinner} {elapsed} (Ctrl-C cancels)");
    let style = style.unwrap_or_else(|_| ProgressStyle::default_spinner());
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr())
        .with_elapsed(QUIET)
        .with_style(style);
    loop {
        bar.tick();
        if let Ok(done) = tokio::time::timeout(TICK, &mut work).await {
            bar.finish_and_clear();
            return done;
        }
    }
}
