//! The limits of nodes as gauges: how much of what default policy allows is needed.

use std::fmt::Write;

use super::markup::{details, escape, paragraph, section};
use crate::Compiled;
use crate::report::limits::{self, Needs, Row};

/// From here on a need is near its limit.
const NEAR: f64 = 0.7;

pub(super) fn section_of(compiled: &Compiled, needs: &Needs) -> String {
    let rows = limits::rows(needs);
    let gauges: String = rows.iter().filter_map(|row| Some(gauge(row, row.share?))).collect();
    let mut body = paragraph("Shares of what a node with default settings allows.");
    let _ = writeln!(body, "<ul class=\"gauges\">\n{gauges}</ul>");
    for excess in limits::excesses(needs, &compiled.target) {
        let _ = writeln!(
            body,
            "<p class=\"over\"><strong>Over a limit:</strong> {}. What helps: {}.</p>",
            escape(&excess.what),
            escape(&excess.help)
        );
    }
    let cells = |row: &Row| vec![row.what.to_owned(), row.need.clone(), row.policy.clone(), row.consensus.clone()];
    let cells: Vec<Vec<String>> = rows.iter().map(cells).collect();
    body += &details("Limits as a table", &["", "this contract", "default policy", "consensus"], &cells);
    section("limits", "Limits", &body)
}

/// Half a circle, filled by the share; beyond 1 it is full.
fn gauge(row: &Row, share: f64) -> String {
    let state = match share {
        over if over > 1.0 => "over",
        near if near >= NEAR => "near",
        _ => "within",
    };
    let arc = "M 12 66 A 54 54 0 0 1 120 66";
    let filled = 100.0 * share.clamp(0.0, 1.0);
    let (what, percent) = (escape(row.what), escape(&percent(share)));
    let says = format!("{what}: {} of {}, {percent}", escape(&row.need), escape(&row.policy));
    format!(
        "<li class=\"{state}\"><svg viewBox=\"0 0 132 76\" role=\"img\" aria-label=\"{says}\" \
         xmlns=\"http://www.w3.org/2000/svg\"><path class=\"dial\" d=\"{arc}\"/><path class=\"hand\" d=\"{arc}\" \
         pathLength=\"100\" stroke-dasharray=\"{filled:.2} 200\"/><text x=\"66\" y=\"62\" \
         text-anchor=\"middle\">{percent}</text></svg><strong>{what}</strong><span>{} of {}</span></li>\n",
        escape(&row.need),
        escape(&row.policy)
    )
}

fn percent(share: f64) -> String {
    match 100.0 * share {
        small if small < 0.1 => "< 0.1 %".to_owned(),
        small if small < 10.0 => format!("{small:.1} %"),
        large => format!("{large:.0} %"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(share: f64) -> String {
        let (need, policy) = (String::new(), String::new());
        gauge(&Row { what: "time", need, policy, consensus: String::new(), share: Some(share) }, share)
    }

    #[test]
    fn gauges_show_which_side_of_a_limit_a_need_is_on() {
        for (share, state, filled) in
            [(0.5, "within", "50.00"), (0.7, "near", "70.00"), (1.0, "near", "100.00"), (1.01, "over", "100.00")]
        {
            let gauge = row(share);
            assert!(gauge.contains(&format!("<li class=\"{state}\"")), "{gauge}");
            assert!(gauge.contains(&format!("stroke-dasharray=\"{filled} 200\"")), "{gauge}");
        }
        assert_eq!([0.0001, 0.0123, 0.345, 7.5].map(percent), ["< 0.1 %", "1.2 %", "34 %", "750 %"]);
    }
}
