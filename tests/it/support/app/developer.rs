//! Somebody with git and ssh, an own home and nothing of this machine's configuration.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use pierhead::domain::ssh_key::SshKey;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStderr, Command};

use crate::support::app::PATIENCE;

/// A person at their own machine.
#[derive(Debug, Clone)]
pub(crate) struct Developer {
    pub(crate) name: String,
    home: PathBuf,
    port: u16,
}

/// A working copy of a project.
#[derive(Debug, Clone)]
pub(crate) struct Copy {
    pub(crate) developer: Developer,
    pub(crate) path: PathBuf,
}

/// What a command came to.
#[derive(Debug, Clone)]
pub(crate) struct Done {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Done {
    fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }

    /// What the server said during a push, without git's frame.
    pub(crate) fn remote(&self) -> Vec<String> {
        let lines = self.stderr.lines().filter_map(|line| line.strip_prefix("remote:"));
        lines.map(|line| line.strip_prefix(' ').unwrap_or(line).trim_end().to_owned()).collect()
    }

    /// The same with times, ids and addresses replaced by words, for snapshots.
    pub(crate) fn told(&self) -> String {
        // Whether a step is cached and how long it takes depends on what ran before on the engine,
        // and when the context is sent, on the engine itself.
        let varies = |line: &String| line.contains("|  ---> ") || line.contains("| context: ");
        let lines = self.remote().into_iter().filter(|line| !varies(line));
        redacted(&lines.collect::<Vec<_>>().join("\n"))
    }

    /// git's own lines about refs.
    pub(crate) fn refs(&self) -> Vec<String> {
        let lines = self.stderr.lines().chain(self.stdout.lines());
        // A deletion has no arrow.
        let is_ref = |line: &&str| {
            [" ! ", " - "].iter().any(|start| line.starts_with(start))
                || [" * ", " + ", "   "].iter().any(|start| line.starts_with(start))
                    && line.contains("->")
        };
        lines.filter(is_ref).map(|line| redacted(line.trim())).collect()
    }

    #[track_caller]
    pub(crate) fn assert_ok(&self) -> &Self {
        assert_eq!(self.code, 0, "{}\n{}", self.stdout, self.stderr);
        self
    }

    #[track_caller]
    pub(crate) fn assert_code(&self, code: i32) -> &Self {
        assert_eq!(self.code, code, "{}\n{}", self.stdout, self.stderr);
        self
    }

    #[track_caller]
    pub(crate) fn assert_says(&self, text: &str) -> &Self {
        let all = format!("{}\n{}", self.stdout, self.stderr);
        assert!(all.contains(text), "{text:?} is not in\n{all}");
        self
    }
}

/// Replaces what differs from run to run.
pub(crate) fn redacted(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let line = redact_cached(&redact_times(line));
        let words: Vec<String> = line.split(' ').map(redact_word).collect();
        out.push_str(words.join(" ").trim_end());
        out.push('\n');
    }
    out.trim_end().to_owned()
}

/// `   12.3 s` at the end becomes ` [time]`; `12 s in all` becomes `[time] in all`.
fn redact_times(line: &str) -> String {
    let mut line = line.to_owned();
    if let Some(rest) = line.strip_suffix(" s")
        && let Some((text, number)) = rest.rsplit_once(' ')
        && number.contains('.')
        && number.parse::<f64>().is_ok()
    {
        line = format!("{} [time]", text.trim_end());
    }
    if let Some((before, _)) = line.split_once(" s in all")
        && let Some((text, _)) = before.rsplit_once(' ')
    {
        line = format!("{text} [time] in all");
    }
    line
}

fn redact_cached(line: &str) -> String {
    let Some((before, after)) = line.split_once(" of ") else { return line.to_owned() };
    match (before.rsplit_once(' '), after.split_once(" steps cached")) {
        (Some((text, cached)), Some((all, rest))) if cached.parse::<usize>().is_ok() => {
            format!("{text} [n] of {all} steps cached{rest}")
        }
        _ => line.to_owned(),
    }
}

fn redact_word(word: &str) -> String {
    let core = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    let is_id = |length: usize| {
        core.len() == length
            && core.bytes().all(|b| b.is_ascii_hexdigit())
            && core.bytes().any(|b| b.is_ascii_digit() || b.is_ascii_lowercase())
    };
    match core {
        _ if is_id(40) || is_id(7) || is_id(12) => word.replace(core, "[id]"),
        _ if word.starts_with("(SHA256:") => "(SHA256:[key])".to_owned(),
        _ if word.contains("..") && word.len() == 16 => "[id]..[id]".to_owned(),
        _ => word.to_owned(),
    }
}

impl Developer {
    pub(crate) async fn new(folder: &Path, name: &str, port: u16) -> Self {
        let home = folder.join("people").join(name);
        fs::create_dir_all(home.join(".ssh")).unwrap();
        let developer = Self { name: name.to_owned(), home, port };
        let made = developer
            .command("ssh-keygen", Path::new("/"))
            .args(["-q", "-t", "ed25519", "-N", "", "-C", name, "-f"])
            .arg(developer.key())
            .output()
            .await
            .unwrap();
        assert!(made.status.success(), "{made:?}");
        developer
    }

    pub(crate) fn email(&self) -> String {
        format!("{}@example.org", self.name)
    }

    pub(crate) fn key(&self) -> PathBuf {
        self.home.join(".ssh/id_ed25519")
    }

    pub(crate) fn public_key(&self) -> String {
        fs::read_to_string(self.key().with_extension("pub")).unwrap()
    }

    pub(crate) fn fingerprint(&self) -> String {
        SshKey::parse(&self.public_key()).unwrap().fingerprint
    }

    /// The server moved to another port.
    pub(crate) fn at(&self, port: u16) -> Self {
        Self { port, ..self.clone() }
    }

    /// A command with an empty environment and an own home.
    pub(crate) fn command(&self, program: &str, folder: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("HOME", &self.home)
            .env("PATH", "/usr/bin:/bin")
            .env("LC_ALL", "C.UTF-8")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_AUTHOR_NAME", &self.name)
            .env("GIT_AUTHOR_EMAIL", self.email())
            .env("GIT_COMMITTER_NAME", &self.name)
            .env("GIT_COMMITTER_EMAIL", self.email())
            .env("GIT_SSH_COMMAND", format!("ssh {}", self.ssh_options().join(" ")))
            .env("GIT_TERMINAL_PROMPT", "0")
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    pub(crate) fn ssh_options(&self) -> Vec<String> {
        let known_hosts = self.home.join(".ssh/known_hosts");
        [
            "-F".to_owned(),
            "/dev/null".to_owned(),
            "-i".to_owned(),
            self.key().display().to_string(),
            "-o".to_owned(),
            "IdentitiesOnly=yes".to_owned(),
            "-o".to_owned(),
            "BatchMode=yes".to_owned(),
            "-o".to_owned(),
            "StrictHostKeyChecking=accept-new".to_owned(),
            "-o".to_owned(),
            "LogLevel=ERROR".to_owned(),
            "-o".to_owned(),
            format!("UserKnownHostsFile={}", known_hosts.display()),
            "-p".to_owned(),
            self.port.to_string(),
        ]
        .to_vec()
    }

    /// `ssh git@host <words>`.
    pub(crate) async fn ssh(&self, words: &[&str]) -> Done {
        let mut command = self.command("ssh", Path::new("/"));
        command.args(self.ssh_options()).arg("git@127.0.0.1").args(words);
        finish(command).await
    }

    pub(crate) fn url(&self, project: &str) -> String {
        format!("ssh://git@127.0.0.1:{}/{project}", self.port)
    }

    /// A new working copy with the hello application in it, and a remote `pierhead`.
    pub(crate) async fn hello(&self, project: &str) -> Copy {
        let copy = self.empty(project).await;
        copy.write_hello("hello");
        copy.commit("Say hello").await;
        copy
    }

    /// A new working copy without a commit, and a remote `pierhead`.
    pub(crate) async fn empty(&self, project: &str) -> Copy {
        let path = self.home.join(project.replace('/', "-"));
        fs::create_dir_all(&path).unwrap();
        let copy = Copy { developer: self.clone(), path };
        copy.git(&["init", "-q", "-b", "main"]).await.assert_ok();
        copy.git(&["remote", "add", "pierhead", &self.url(project)]).await.assert_ok();
        copy
    }

    /// `git clone`.
    pub(crate) async fn clone_of(&self, project: &str, name: &str, args: &[&str]) -> (Copy, Done) {
        let path = self.home.join(name);
        let mut command = self.command("git", &self.home);
        command.arg("clone").args(args).args(["-o", "pierhead"]).arg(self.url(project)).arg(&path);
        let done = finish(command).await;
        (Copy { developer: self.clone(), path }, done)
    }
}

impl Copy {
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = self.developer.command("git", &self.path);
        command.args(args);
        command
    }

    pub(crate) async fn git(&self, args: &[&str]) -> Done {
        finish(self.command(args)).await
    }

    /// `git push pierhead <args>`.
    pub(crate) async fn push(&self, args: &[&str]) -> Done {
        self.git(&[&["push", "pierhead"], args].concat()).await
    }

    /// Starts `git push pierhead <args>`, to be watched or killed.
    pub(crate) fn start_push(&self, args: &[&str]) -> RunningPush {
        RunningPush::start(self.command(&[&["push", "pierhead"], args].concat()))
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.path.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Commits everything there is, and gives its id.
    pub(crate) async fn commit(&self, subject: &str) -> String {
        self.git(&["add", "-A"]).await.assert_ok();
        self.git(&["commit", "-q", "--allow-empty", "-m", subject]).await.assert_ok();
        self.head().await
    }

    pub(crate) async fn head(&self) -> String {
        self.git(&["rev-parse", "HEAD"]).await.assert_ok().stdout.trim().to_owned()
    }

    /// An application that answers `<text>` at `<folder name>.localhost`.
    pub(crate) fn write_hello(&self, text: &str) {
        self.write("Dockerfile", DOCKERFILE);
        self.write("index.html", text);
        self.write(".paas.yaml", &self.paas_yaml());
    }

    /// The host at which this copy's application answers.
    pub(crate) fn host(&self) -> String {
        format!("{}.localhost", self.path.file_name().unwrap().to_string_lossy())
    }

    pub(crate) fn paas_yaml(&self) -> String {
        PAAS_YAML.replace("HOST", &self.host())
    }
}

/// Runs a command to its end.
pub(crate) async fn finish(mut command: Command) -> Done {
    let output = tokio::time::timeout(PATIENCE * 2, command.output()).await;
    Done::of(&output.expect("the command ends").unwrap())
}

/// A push under way.
pub(crate) struct RunningPush {
    child: Child,
    stderr: Lines<BufReader<ChildStderr>>,
    heard: Vec<String>,
}

impl RunningPush {
    fn start(mut command: Command) -> Self {
        let mut child = command.process_group(0).spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap()).lines();
        Self { child, stderr, heard: Vec::new() }
    }

    /// Waits until the pusher has read something.
    pub(crate) async fn until_says(&mut self, text: &str) {
        while !self.heard.last().is_some_and(|line| line.contains(text)) {
            let line = tokio::time::timeout(PATIENCE, self.stderr.next_line()).await;
            match line {
                Ok(Ok(Some(line))) => self.heard.push(line),
                other => panic!("never said {text:?} ({other:?}):\n{}", self.heard.join("\n")),
            }
        }
    }

    /// Ends git and ssh without any chance to say goodbye.
    pub(crate) async fn kill(mut self) {
        let group = Pid::from_raw(i32::try_from(self.child.id().unwrap()).unwrap()).unwrap();
        kill_process_group(group, Signal::KILL).unwrap();
        self.child.wait().await.unwrap();
    }

    /// Waits until it ends by itself.
    pub(crate) async fn finish(mut self) -> Done {
        let rest = async {
            while let Some(line) = self.stderr.next_line().await.unwrap() {
                self.heard.push(line);
            }
            self.child.wait_with_output().await.unwrap()
        };
        let output = tokio::time::timeout(PATIENCE * 2, rest).await.expect("the push ends");
        Done { stderr: self.heard.join("\n"), ..Done::of(&output) }
    }
}

const DOCKERFILE: &str = "FROM busybox:stable
COPY index.html /www/
CMD [\"httpd\", \"-f\", \"-p\", \"8080\", \"-h\", \"/www\"]
";

const PAAS_YAML: &str = "paas: {version: v1.1}
images:
  hello: {path: .}
pods:
  web:
    containers:
      app:
        image: hello
        listen: [8080]
        healthcheck:
          initial-delay-seconds: 0
          period-seconds: 1
          probe: {http: {port: 8080, path: /}}
services:
  web: {ports: [{listen: 80, target: 8080}]}
ingresses:
  web: {host: HOST, service: {name: web, port: 80}}
";
