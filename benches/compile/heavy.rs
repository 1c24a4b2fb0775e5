//! The table of heavy files.

use std::fs;
use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};

use pierhead::paas::{compile, render_warnings};

use crate::list::{Heavy, context, heavy_files};

/// What each may take: milliseconds, and mebibytes.
const MOST: (f64, f64) = (100.0, 64.0);

/// Asks a process to measure the one file that it reads.
const ONE: &str = "heavy-file";

/// What the arguments ask for.
pub(crate) enum Asked {
    /// One heavy file.
    File,
    /// All heavy files.
    Table,
    /// All of it.
    Everything,
    /// What criterion's own arguments say.
    Filter,
}

pub(crate) fn asked_for() -> Asked {
    let mut arguments = std::env::args().skip(1).filter(|word| word != "--bench");
    match arguments.next().as_deref() {
        None => Asked::Everything,
        Some("heavy") => Asked::Table,
        Some(ONE) => Asked::File,
        Some(_) => Asked::Filter,
    }
}

/// Starts itself for every file, and prints what each process says.
pub(crate) fn table() {
    let mut out = std::io::stdout().lock();
    writeln!(out, "\n| heavy file | KiB | first fault | ms | MiB | |").unwrap();
    writeln!(out, "|---|---:|---|---:|---:|---|").unwrap();
    for Heavy { name, text, code } in heavy_files() {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.arg(ONE).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        process.stdin.take().unwrap().write_all(&text).unwrap();
        let output = process.wait_with_output().unwrap();
        assert!(output.status.success(), "{name}");
        let row = String::from_utf8(output.stdout).unwrap();
        assert!(row.starts_with(code.unwrap_or_default()), "{name}: {row}");
        writeln!(out, "| {name} | {} | {}", text.len().div_ceil(1_024), row.trim()).unwrap();
    }
}

/// Measures the file on the standard input, and prints the end of its row.
pub(crate) fn measure() {
    let context = context();
    let mut text = Vec::new();
    std::io::stdin().lock().read_to_end(&mut text).unwrap();
    reset_peak();
    let before = memory("VmHWM");
    let began = processor_time();
    let compiled = compile(&text, &context);
    let first = match &compiled {
        Ok(compiled) => {
            drop(render_warnings(&compiled.warnings, &text, ".paas.yaml"));
            ""
        }
        Err(faults) => {
            drop(faults.render(&text, ".paas.yaml"));
            faults.as_slice().first().map_or("", |fault| fault.code.as_str())
        }
    };
    let milliseconds = processor_time() - began;
    let mebibytes = (memory("VmHWM") - before) / 1_024.0;
    let over = if milliseconds > MOST.0 || mebibytes > MOST.1 { "over" } else { "" };
    let mut out = std::io::stdout().lock();
    writeln!(out, "{first} | {milliseconds:.1} | {mebibytes:.1} | {over} |").unwrap();
}

/// What this process had of a processor so far, in milliseconds: others may use it meanwhile.
fn processor_time() -> f64 {
    let times = fs::read_to_string("/proc/self/schedstat").unwrap();
    times.split(' ').next().unwrap().parse::<f64>().unwrap() / 1_000_000.0
}

/// A figure of this process in kibibytes.
fn memory(key: &str) -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(key)).unwrap();
    line.trim_start_matches(':').trim().trim_end_matches(" kB").parse().unwrap()
}

/// From now on the peak of this process is what it has now.
fn reset_peak() {
    fs::write("/proc/self/clear_refs", "5").unwrap();
}
