//! Instructions of a Dockerfile, each on one line.
//!
//! Builders do not agree on what a comment is, nor on which first lines choose the escape
//! character. Whoever wants to hide an instruction from one of them writes it so that only another
//! one sees it. So a text is read in every manner.

/// A manner of reading lines.
#[derive(Clone, Copy)]
struct Manner {
    /// What continues a line.
    escape: char,
    comments: Comments,
}

/// What is a comment between the lines of one instruction.
#[derive(Clone, Copy)]
enum Comments {
    /// A line whose first word begins with `#`.
    Indented,
    /// A line that begins with `#`.
    AtMargin,
}

/// The instructions as each manner of reading finds them.
pub(super) fn readings(text: &str) -> Vec<Vec<String>> {
    // Builders skip it, and no one sees it.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let escapes = if chooses_escape(text) { &['\\', '`'][..] } else { &['\\'] };
    let manners = escapes.iter().flat_map(|escape| {
        [Comments::Indented, Comments::AtMargin]
            .map(|comments| Manner { escape: *escape, comments })
    });
    manners.map(|manner| instructions(text, manner)).collect()
}

/// Whether some comment may be taken for the directive that makes a backtick the escape character.
fn chooses_escape(text: &str) -> bool {
    let comments = text.lines().filter_map(|line| line.trim_start().strip_prefix('#'));
    comments
        .filter_map(|comment| comment.split_once('='))
        .any(|(name, value)| name.trim().eq_ignore_ascii_case("escape") && value.contains('`'))
}

fn instructions(text: &str, manner: Manner) -> Vec<String> {
    let mut instructions = Vec::new();
    let mut pending: Option<String> = None;
    for line in text.lines() {
        let is_comment = match (&pending, manner.comments) {
            (Some(_), Comments::AtMargin) => line.starts_with('#'),
            (Some(_), Comments::Indented) | (None, _) => line.trim_start().starts_with('#'),
        };
        if is_comment || line.trim().is_empty() {
            continue;
        }
        // Nothing else may stand behind it, not even what looks like a blank.
        let continued = line.trim_end_matches([' ', '\t']).strip_suffix(manner.escape);
        pending.get_or_insert_default().push_str(continued.unwrap_or(line));
        if continued.is_none() {
            instructions.extend(pending.take());
        }
    }
    instructions.extend(pending);
    instructions
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What every manner finds.
    fn read(text: &str) -> String {
        let mut readings: Vec<String> =
            readings(text).iter().map(|reading| reading.join(" | ")).collect();
        readings.dedup();
        readings.join("\n")
    }

    #[test]
    fn lines_go_on_behind_the_escape_character() {
        assert_eq!(
            read("FROM \\ \n# between\n\n  debian:13\r\nRUN a\\\nb\n"),
            "FROM   debian:13 | RUN ab"
        );
        assert_eq!(read("RUN a \\\u{c}\nCOPY b /\n"), "RUN a \\\u{c} | COPY b /");
        assert_eq!(read("\u{feff}FROM a"), "FROM a");
    }

    #[test]
    fn what_builders_take_for_different_things_is_read_in_every_way() {
        assert_eq!(read("RUN a \\\n  # b\nCOPY c /\n"), "RUN a COPY c /\nRUN a   # b | COPY c /");
        assert_eq!(
            read("# syntax = x\n# escape=`\nRUN a `\nRUN b \\\nRUN c\n"),
            "RUN a ` | RUN b RUN c\nRUN a RUN b \\ | RUN c"
        );
    }
}
