//! Durations by name, and the table they are shown in.

use std::fmt;
use std::time::Duration;

/// Durations of several rounds, in the order in which their names came up.
#[derive(Debug, Default)]
pub(crate) struct Numbers {
    rows: Vec<(String, Vec<Duration>)>,
}

impl Numbers {
    pub(crate) fn add(&mut self, name: &str, duration: Duration) {
        match self.rows.iter_mut().find(|(known, _)| known == name) {
            Some((_, durations)) => durations.push(duration),
            None => self.rows.push((name.to_owned(), vec![duration])),
        }
    }
}

/// The duration that so many of a hundred do not exceed.
fn percentile(sorted: &[Duration], hundredth: usize) -> Duration {
    let rank = (sorted.len() * hundredth).div_ceil(100).max(1);
    sorted[rank - 1]
}

impl fmt::Display for Numbers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |duration: Duration| format!("{:.0} ms", duration.as_secs_f64() * 1_000.0);
        writeln!(f, "| what | median | p95 |\n|---|---:|---:|")?;
        for (name, durations) in &self.rows {
            let mut sorted = durations.clone();
            sorted.sort();
            let (median, p95) = (percentile(&sorted, 50), percentile(&sorted, 95));
            writeln!(f, "| {name} | {} | {} |", ms(median), ms(p95))?;
        }
        Ok(())
    }
}
