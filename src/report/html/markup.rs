//! Pieces of the page: text made harmless, figures, tables.
//!
//! Whatever comes from a model goes through [`escape`]: names of nodes and classes are anyone's.

use std::fmt::Write;

use crate::report::limits::grouped;

/// Text as the page's own: nothing in it is markup, and nothing that cannot be seen changes how the rest is read.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            seen => escaped.push(visible(seen)),
        }
    }
    escaped
}

/// A character, or a sign in its place where it is a control character, turns the direction of writing, or may not
/// stand in XML.
fn visible(character: char) -> char {
    let turns = matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let barred = matches!(character, '\u{fffe}' | '\u{ffff}');
    if character.is_control() || turns || barred { char::REPLACEMENT_CHARACTER } else { character }
}

/// The start of a text that is too long to be shown whole.
pub(super) fn shortened(text: &str, most: usize) -> String {
    match text.chars().nth(most) {
        Some(_) => text.chars().take(most.saturating_sub(1)).map(visible).chain(['…']).collect(),
        None => text.chars().map(visible).collect(),
    }
}

/// A section of the page under a heading; `body` is markup.
pub(super) fn section(id: &str, heading: &str, body: &str) -> String {
    format!(
        "<section id=\"{id}\" aria-labelledby=\"{id}-heading\">\n<h2 id=\"{id}-heading\">{}</h2>\n{body}</section>\n",
        escape(heading)
    )
}

/// A paragraph of text.
pub(super) fn paragraph(text: &str) -> String {
    format!("<p>{}</p>\n", escape(text))
}

/// A chart with what it shows in words; `svg` is markup.
pub(super) fn figure(says: &str, svg: &str) -> String {
    keyed_figure(says, svg, &[])
}

/// A chart whose colours mean something: the first series, the second, ...
pub(super) fn keyed_figure(says: &str, svg: &str, series: &[&str]) -> String {
    let mut caption = escape(says);
    for (index, name) in series.iter().enumerate() {
        let _ = write!(caption, " <span class=\"key series-{index}\">{}</span>", escape(name));
    }
    let label = match series {
        [] => escape(says),
        _ => format!("{} ({})", escape(says), escape(&series.join(", "))),
    };
    format!(
        "<figure>\n<figcaption>{caption}</figcaption>\n<div class=\"chart\" role=\"img\" aria-label=\"{label}\">\n{svg}</div>\n\
         </figure>\n"
    )
}

/// A table with numbers behind its first column, to be opened by who wants them.
pub(super) fn details(summary: &str, head: &[&str], rows: &[Vec<String>]) -> String {
    format!("<details>\n<summary>{}</summary>\n{}</details>\n", escape(summary), table(head, rows))
}

/// A table whose first column heads its rows.
pub(super) fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let mut text = "<div class=\"table\"><table>\n<thead><tr>".to_owned();
    head.iter().for_each(|cell| text += &format!("<th scope=\"col\">{}</th>", escape(cell)));
    text += "</tr></thead>\n<tbody>\n";
    for row in rows {
        text += "<tr>";
        for (column, cell) in row.iter().enumerate() {
            let (open, close) = if column == 0 { ("<th scope=\"row\">", "</th>") } else { ("<td>", "</td>") };
            let _ = write!(text, "{open}{}{close}", escape(cell));
        }
        text += "</tr>\n";
    }
    text + "</tbody>\n</table></div>\n"
}

/// A list of what things are called and what they are; `rows` hold text and markup.
pub(super) fn facts(rows: &[(&str, String)]) -> String {
    let row = |(name, markup): &(&str, String)| format!("<div><dt>{}</dt><dd>{markup}</dd></div>\n", escape(name));
    format!("<dl class=\"facts\">\n{}</dl>\n", rows.iter().map(row).collect::<String>())
}

/// A number in few digits.
pub(super) fn short(value: f64) -> String {
    match value.abs() {
        0.0 => "0".into(),
        size if (1000.0..1e9).contains(&size) => {
            let sign = if value < 0.0 { "-" } else { "" };
            format!("{sign}{}", grouped(size.round() as u64))
        }
        size if (0.001..1000.0).contains(&size) => {
            let digits = 3usize.saturating_sub(size.log10().floor().max(0.0) as usize);
            let text = format!("{value:.digits$}");
            if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
        }
        _ => format!("{value:.2e}").replace(".00e", "e"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_name_is_markup() {
        assert_eq!(escape("<a b=\"c\" d='e'>&"), "&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;");
        assert_eq!(escape("a\0b\u{202e}c\u{ffff}é"), "a\u{fffd}b\u{fffd}c\u{fffd}é");
        assert_eq!(shortened("ab\u{202e}cd", 4), "ab\u{fffd}…");
        assert_eq!(shortened("abcd", 4), "abcd");
    }

    #[test]
    fn numbers_have_few_digits() {
        let shown = [0.0, 1.0, -0.5, 12.3456, -1234.5, 999.96, 1.5e9, 1e-5, 0.00012345].map(short);
        assert_eq!(shown, ["0", "1", "-0.5", "12.35", "-1,235", "1000", "1.50e9", "1e-5", "1.23e-4"]);
    }
}
