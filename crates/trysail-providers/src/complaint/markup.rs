/// The words of a page that a reader would see first.
pub(super) fn words(page: &str) -> String {
    let mut words = String::new();
    let mut rest = page;
    while let Some((text, after)) = rest.split_once('<') {
        push(&mut words, text);
        if words.len() > ENOUGH {
            return words;
        }
        rest = SILENT.iter().find_map(|(open, close)| skip(after, open, close)).unwrap_or_else(|| tag_end(after));
    }
    push(&mut words, rest);
    words
}

/// The codes of an XML error; a page for browsers has no element that is spelled like this.
pub(super) fn codes(page: &str) -> impl Iterator<Item = &str> {
    page.split("<Code>").skip(1).filter_map(|after| after.split_once("</Code>")).map(|(code, _)| code).take(MANY)
}

fn tag_end(after: &str) -> &str {
    after.split_once('>').map_or("", |(_, rest)| rest)
}

/// What follows an element whose content nobody reads.
fn skip<'a>(after: &'a str, open: &str, close: &str) -> Option<&'a str> {
    if !after.get(..open.len()).is_some_and(|name| name.eq_ignore_ascii_case(open)) {
        return None;
    }
    Some(after.split_once(close).map_or("", |(_, rest)| rest))
}

fn push(words: &mut String, text: &str) {
    let left = (ENOUGH + 1).saturating_sub(words.len());
    for word in text.split_whitespace().take(left) {
        if !words.is_empty() {
            words.push(' ');
        }
        words.push_str(word);
    }
}

const SILENT: &[(&str, &str)] = &[("style", "</style>"), ("script", "</script>"), ("svg", "</svg>"), ("!--", "-->")];
const ENOUGH: usize = 1_000;
const MANY: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_read_counts() {
        let page = "<!DOCTYPE html><html><head><title>502 Bad\r\nGateway</title><style>p { x }</style></head>\
                    <body><!-- overloaded --><h1>Oh</h1> no<script>if (1 < 2) {}</script></body></html>";
        assert_eq!(words(page), "502 Bad Gateway Oh no");
        assert_eq!(words("<"), "");
        assert_eq!(words("<style"), "");
        assert_eq!(words("<é>é"), "é");
    }
}
