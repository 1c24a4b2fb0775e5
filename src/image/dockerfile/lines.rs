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
    /// Whether it also does when it is doubled.
    doubled: bool,
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
    let has_doubled = text.lines().any(|line| {
        let line = line.trim_end_matches([' ', '\t']);
        line.ends_with(r"\\") || line.ends_with("``")
    });
    let mut readings = Vec::new();
    for escape in escapes.iter().copied() {
        for doubled in if has_doubled { &[true, false][..] } else { &[true] } {
            for comments in [Comments::Indented, Comments::AtMargin] {
                let manner = Manner { escape, doubled: *doubled, comments };
                readings.push(instructions(text, manner));
            }
        }
    }
    if text.contains("<<") {
        // Where a here-document ends, and an instruction begins, is seen in different places.
        readings.push(text.lines().map(str::to_owned).collect());
    }
    readings
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
        let continued = continued.filter(|rest| manner.doubled || !rest.ends_with(manner.escape));
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
    fn an_escape_that_is_escaped_continues_a_line_and_does_not() {
        assert_eq!(
            read("LABEL a=b\\\\\nCOPY c /\n"),
            "LABEL a=b\\COPY c /\nLABEL a=b\\\\ | COPY c /"
        );
    }

    #[test]
    fn every_line_counts_where_there_may_be_here_documents() {
        assert_eq!(read("RUN <<A\nb \\\nc\n"), "RUN <<A | b c\nRUN <<A | b \\ | c");
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
