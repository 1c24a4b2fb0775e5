//! Health checks (paas-yaml.md §4.10).

use crate::paas::compile::paths::refuse_control_characters;
use crate::paas::compiled::{HealthCheck, Probe};
use crate::paas::fault::Code;
use crate::paas::report::{Poisoned, Reports, shown};
use crate::paas::view::View;

/// Compiles the check of a container that listens on these ports.
pub(super) fn compile(
    view: &View<'_>,
    listen: &Result<Vec<u16>, Poisoned>,
    reports: &mut Reports,
) -> Result<HealthCheck, Poisoned> {
    let probe = view.required("probe").and_then(|probe| self::probe(&probe, listen, reports));
    let threshold = |key| match view.field("threshold")? {
        Some(threshold) => threshold.field(key)?.map_or(Ok(1), |count| count.int()),
        None => Ok(1),
    };
    Ok(HealthCheck {
        probe: probe?,
        initial_delay: view.required("initial-delay-seconds")?.int()?,
        period: view.required("period-seconds")?.int()?,
        success_threshold: threshold("success")?,
        failure_threshold: threshold("failure")?,
    })
}

fn probe(
    view: &View<'_>,
    listen: &Result<Vec<u16>, Poisoned>,
    reports: &mut Reports,
) -> Result<Probe, Poisoned> {
    if view.field("command")?.is_some() {
        return Ok(Probe::Command { command: command(view, reports)? });
    }
    if let Some(http) = view.field("http")? {
        let port = port(&http, listen, reports);
        let path = http.required("path").and_then(|path| probe_path(&path, reports));
        let secure = http.field("is-secure")?.map_or(Ok(false), |secure| secure.boolean());
        return Ok(Probe::Http { port: port?, path: path?, secure: secure? });
    }
    let tcp = view.required("tcp")?;
    Ok(Probe::Tcp { port: port(&tcp, listen, reports)? })
}

fn command(view: &View<'_>, reports: &mut Reports) -> Result<Vec<String>, Poisoned> {
    let mut result = Ok(());
    let mut words = Vec::new();
    for word in view.items("command")? {
        match word.text() {
            Ok(text) if text.value.contains('\0') => {
                let message = "a command cannot hold a NUL character";
                result = Err(reports.add(word.fault(Code::ControlCharacter, message)));
            }
            Ok(text) => words.push(text.value.clone()),
            Err(Poisoned) => result = Err(Poisoned),
        }
    }
    result.map(|()| words)
}

/// The port that is asked: the one given, or the only one there is.
fn port(
    view: &View<'_>,
    listen: &Result<Vec<u16>, Poisoned>,
    reports: &mut Reports,
) -> Result<u16, Poisoned> {
    if let Some(port) = view.field("port")? {
        return port.int();
    }
    let message = match listen.as_ref().map_err(|poisoned| *poisoned)?.as_slice() {
        [port] => return Ok(*port),
        [] => "give `port`: the container listens on none",
        _ => "give `port`: the container listens on several",
    };
    Err(reports.add(view.fault(Code::NoProbePort, message)))
}

/// The path of a probe, to which a slash at its begin is added.
fn probe_path(view: &View<'_>, reports: &mut Reports) -> Result<String, Poisoned> {
    let text = view.text()?;
    refuse_control_characters(view, &text.value, reports)?;
    let slash = if text.value.starts_with('/') { "" } else { "/" };
    Ok(format!("{slash}{}", text.value))
}

/// A path of a URL, which begins with a slash.
pub(super) fn url_path(view: &View<'_>, reports: &mut Reports) -> Result<String, Poisoned> {
    let text = view.text()?;
    let quoted = shown(text.as_written());
    refuse_control_characters(view, &text.value, reports)?;
    if !text.value.starts_with('/') {
        let message = format!("\"{quoted}\" does not begin with \"/\"");
        let hint = format!("write \"/{quoted}\"");
        return Err(reports.add(view.fault(Code::BadValue, message).hint(hint)));
    }
    Ok(text.value.clone())
}
