//! Schedules: cron expressions of five fields, as Kubernetes reads them.

/// A field: its name, its bounds and the words that stand for its numbers, from the lower bound on.
struct Field {
    name: &'static str,
    least: u32,
    most: u32,
    words: &'static [&'static str],
}

const FIELDS: [Field; 5] = [
    Field { name: "minute", least: 0, most: 59, words: &[] },
    Field { name: "hour", least: 0, most: 23, words: &[] },
    Field { name: "day", least: 1, most: 31, words: &[] },
    Field {
        name: "month",
        least: 1,
        most: 12,
        words: &[
            "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
        ],
    },
    Field {
        name: "weekday",
        least: 0,
        // Sunday is 0 and 7.
        most: 7,
        words: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
    },
];

/// Why a text is no schedule, if it is none.
pub(super) fn problem(text: &str) -> Option<String> {
    let parts: Vec<_> = text.split_whitespace().collect();
    if parts.len() != FIELDS.len() {
        return Some(format!("it has {} fields, not five", parts.len()));
    }
    let wrong = FIELDS.iter().zip(parts).find(|(field, part)| !field.fits(part));
    wrong.map(|(field, _)| format!("the {} is from {} to {}", field.name, field.least, field.most))
}

impl Field {
    fn fits(&self, part: &str) -> bool {
        part.split(',').all(|range| self.range_fits(range))
    }

    /// Whether a text is `*`, `?`, a number or two with `-` between, with `/` and a step or without.
    fn range_fits(&self, text: &str) -> bool {
        let (range, step) = match text.split_once('/') {
            Some((range, step)) => (range, Some(step)),
            None => (text, None),
        };
        let step_fits = step.is_none_or(|step| number(step).is_some_and(|step| step > 0));
        let range_fits = match range.split_once('-') {
            _ if matches!(range, "*" | "?") => true,
            Some((from, to)) => {
                matches!((self.value(from), self.value(to)), (Some(from), Some(to)) if from <= to)
            }
            None => self.value(range).is_some(),
        };
        step_fits && range_fits
    }

    fn value(&self, text: &str) -> Option<u32> {
        let word = self.words.iter().position(|word| word.eq_ignore_ascii_case(text));
        let word = word.and_then(|index| u32::try_from(index).ok()).map(|index| index + self.least);
        let value = word.or_else(|| number(text))?;
        (self.least..=self.most).contains(&value).then_some(value)
    }
}

fn number(text: &str) -> Option<u32> {
    let is_digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    is_digits.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_fields_make_a_schedule() {
        for text in [
            "0 3 * * *",
            "*/5 0-6,22 1,15 JAN-mar Mon-Fri",
            "0 0 ? * 7",
            "  1  2  3  4  5  ",
            "0-59/10 * * * sun",
        ] {
            assert_eq!(problem(text), None, "{text}");
        }
        for text in [
            "",
            "* * * *",
            "0 0 3 * * *",
            "60 * * * *",
            "* 24 * * *",
            "* * 0 * *",
            "* * * 13 *",
            "* * * * 8",
            "*/0 * * * *",
            "5-1 * * * *",
            "a * * * *",
            "1- * * * *",
            "@daily",
            "+1 * * * *",
            "1,,2 * * * *",
        ] {
            assert!(problem(text).is_some(), "{text}");
        }
        assert_eq!(problem("0 24 * * *").unwrap(), "the hour is from 0 to 23");
        assert_eq!(problem("0 0 3 * * *").unwrap(), "it has 6 fields, not five");
    }
}
