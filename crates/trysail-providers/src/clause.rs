//! Words that mean something only beside others, in one clause of a message.

/// Whether a clause of `lower`, text in lower case, has a word that begins like one of each of `groups`.
///
/// What stands in quotes is not said: answers repeat the names of fields, and inputs.
pub(super) fn says(lower: &str, groups: &[&[&str]]) -> bool {
    // Most messages hold none of the first, which is found out much faster.
    groups[0].iter().any(|word| lower.contains(word))
        && unquoted(lower, |_, _| false).split(ENDS).flat_map(|clause| clause.split(". ")).any(|clause| {
            let clause = format!(" {clause} ");
            groups.iter().all(|words| words.iter().any(|word| begins(&clause, word)))
        })
}

/// Whether `word` stands in `text` and is no part of a longer word, in a script that parts them.
pub(super) fn holds(text: &str, word: &str) -> bool {
    let letters =
        |a: Option<char>, b: Option<char>| [a, b].iter().flatten().filter(|c| c.is_ascii_alphanumeric()).count();
    text.match_indices(word).any(|(at, _)| {
        let (before, after) = (text[..at].chars().next_back(), text[at + word.len()..].chars().next());
        letters(before, word.chars().next()) < 2 && letters(word.chars().next_back(), after) < 2
    })
}

/// Whether `word` stands in `clause`, at the beginning of a word if it is written in a script that parts them.
fn begins(clause: &str, word: &str) -> bool {
    let parted = |before: &str| !before.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
    clause.match_indices(word).any(|(at, _)| parted(&clause[..at]) || !word.starts_with(|c: char| c.is_ascii()))
}

/// `text` without what stands in quotes, unless `keeps` says so of what is before them and in them.
pub(super) fn unquoted(text: &str, keeps: impl Fn(&str, &str) -> bool) -> String {
    let mut said = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(QUOTES) {
        let (before, quoted) = rest.split_at(at);
        said.push_str(before);
        let quote = &quoted[..1];
        // An apostrophe follows a letter.
        let opens = !before.ends_with(char::is_alphanumeric);
        let closed = |(at, _): &(usize, &str)| !quoted[at + 2..].starts_with(char::is_alphanumeric);
        let end = quoted[1..].match_indices(quote).find(closed).filter(|_| opens);
        let end = end.map(|(end, _)| end).filter(|end| !keeps(&text[..text.len() - quoted.len()], &quoted[1..=*end]));
        rest = end.map_or(&quoted[1..], |end| &quoted[end + 2..]);
    }
    said.push_str(rest);
    said
}

const QUOTES: &[char] = &['\'', '"', '`'];
const ENDS: &[char] = &['\n', ';', '!', '?', '。', '！', '？'];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_count_only_beside_each_other_and_outside_of_quotes() {
        let purse: &[&[&str]] = &[&["balance", "余额"], &["low ", "不足"]];
        for said in ["your balance is low", "low balance", "don't: balance low", "x; a low balance.", "您的余额不足"]
        {
            assert!(says(said, purse), "{said}");
        }
        for not in ["balance. low", "'balance' is low", "rebalance low", "balance below", "`balance` low \"a\"", ""] {
            assert!(!says(not, purse), "{not}");
        }
    }

    #[test]
    fn a_word_is_held_where_it_is_no_part_of_another() {
        for text in ["rpm", "3 rpm.", "(rpm)", "max_rpm=3", "限制rpm为"] {
            assert!(holds(text, "rpm"), "{text}");
        }
        for text in ["rpms", "torpm", "rpm2", "3rpm", ""] {
            assert!(!holds(text, "rpm"), "{text}");
        }
        assert!(holds("10/min", "/min") && holds("a/min, b", "/min") && !holds("host/minio", "/min"));
        assert!(holds("您每分钟请求", "每分钟"));
    }

    #[test]
    fn what_is_quoted_is_taken_out() {
        let bare = |text| unquoted(text, |_, _| false);
        assert_eq!(bare("a 'b c' d"), "a  d");
        assert_eq!(bare("you've a \"b's\" c"), "youve a  c");
        assert_eq!(bare("'"), "");
        assert_eq!(bare("é'é `é` \"é"), "éé  é");
    }
}
