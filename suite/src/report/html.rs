//! The report as one HTML page that needs nothing else: no script, no font, no image.
//!
//! Owns its markup. Everything that a target said is escaped.

use super::{Report, Row, Table};
use crate::case::Level;
use crate::play::Outcome;

const STYLE: &str = "body{font:16px/1.5 Georgia,serif;max-width:75rem;margin:2rem auto;padding:0 1rem;color:#222;background:#fdfcfa}\
table{border-collapse:collapse;font-size:.85rem}td,th{padding:.25rem .5rem;border-bottom:1px solid #ddd;text-align:center;vertical-align:top}\
td:first-child,th:first-child{text-align:left;min-width:22rem}tr.group th{padding-top:1.2rem;font-size:1rem}\
.pass{color:#1a6b34}.must{color:#fff;background:#a4221c;font-weight:bold}.should{color:#8a4b00;background:#fde9c8}.none{color:#999}\
.broken{background:#ddd}code{font-size:.85em}small{color:#666}dd{margin:0 0 1rem 1rem}";

/// The whole page.
#[must_use]
pub fn page(report: &Report) -> String {
    let heads: Vec<String> = report.targets.iter().map(|table| format!("<th>{}</th>", escaped(&table.title))).collect();
    let heads = heads.concat();
    let details: String = report.targets.iter().map(details).collect();
    format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>Is it over? The logout suite</title><style>{STYLE}</style>\n<h1>Is it over?</h1>\n\
         <p>The logout suite, played on {} on {}. <b class=\"pass\">✓</b> true of this target; <span class=\"must\">&nbsp;✗&nbsp;</span> \
         a session lives that is over, something false is said, or somebody gets into another's session; <span class=\"should\">&nbsp;✗&nbsp;</span> a defence in depth is \
         missing; <span class=\"none\">–</span> cannot be had there, with the reason below.</p>\n\
         <table><thead><tr><th></th>{heads}</tr></thead><tbody>\n{}</tbody></table>\n{details}</html>\n",
        report.date,
        escaped(&report.machine),
        matrix(report),
    )
}

fn matrix(report: &Report) -> String {
    let Some(first) = report.targets.iter().max_by_key(|table| table.rows.len()) else { return String::new() };
    let (mut rows, mut group) = (Vec::new(), "");
    for (number, row) in first.rows.iter().enumerate() {
        if row.group != group {
            group = &row.group;
            let span = report.targets.len() + 1;
            rows.push(format!("<tr class=\"group\"><th colspan=\"{span}\">{}</th></tr>\n", escaped(&row.title)));
        }
        let source = escaped(&row.source);
        rows.push(format!("<tr><td>{}<br><small>{source}</small></td>", escaped(&row.case)));
        rows.extend(report.targets.iter().map(|table| table.rows.get(number).map_or_else(none, cell)));
        rows.push("</tr>\n".to_owned());
    }
    rows.concat()
}

fn none() -> String {
    "<td></td>".to_owned()
}

fn cell(row: &Row) -> String {
    let (class, mark, why) = match &row.outcome {
        Outcome::Pass => ("pass", "✓", String::new()),
        Outcome::Fail(why) if row.level == Level::Should => ("should", "✗", why.to_string()),
        Outcome::Fail(why) => ("must", "✗", why.to_string()),
        Outcome::NotApplicable(why) => ("none", "–", why.clone()),
        Outcome::Broken(why) => ("broken", "?", why.clone()),
    };
    format!("<td class=\"{class}\" title=\"{}\">{mark}</td>", escaped(&why))
}

fn details(table: &Table) -> String {
    let title =
        format!("<h2>{}</h2><p>{}. {}</p>", escaped(&table.title), escaped(&table.version), escaped(&table.notes));
    if let Some(why) = &table.cannot {
        return format!("{title}<p>It could not be installed: {}</p>\n", escaped(why));
    }
    let mut list = Vec::new();
    for row in &table.rows {
        let (why, command) = match &row.outcome {
            Outcome::Pass => continue,
            Outcome::NotApplicable(why) => (format!("Not applicable: {}", escaped(why)), String::new()),
            Outcome::Fail(why) => (escaped(&why.to_string()), again(row)),
            Outcome::Broken(why) => (escaped(why), again(row)),
        };
        list.push(format!("<dt>{}</dt><dd>{why}{command}</dd>\n", escaped(&row.case)));
    }
    format!("{title}\n<dl>{}</dl>\n", list.concat())
}

fn again(row: &Row) -> String {
    format!("<br>Again: <code>{}</code>", escaped(&row.again))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
