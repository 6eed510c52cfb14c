//! The plan's flows as a drawing: a box and a line down for each party, and under them a row for each flow, an arrow
//! from where it begins to where it ends. Nothing can cross a label so, whatever the plan. Pure.

use maud::{Markup, html};
use waybill_plan::show::{Drawing, Node, Role};

/// Where the first party's column begins; before it stand the flows' names.
const LEFT: usize = 150;
const COLUMN: usize = 130;
const BOX_WIDTH: usize = 120;
const BOX_HEIGHT: usize = 52;
const TOP: usize = 4;
const ROW: usize = 34;
/// A sign's width in a label, rather more than less.
const SIGN: usize = 7;

/// An arrow or what waits, in its row.
struct Row<'a> {
    name: &'a str,
    label: &'a str,
    from: &'a [usize],
    to: &'a [usize],
    waits: bool,
}

/// The drawing, for a page whose style sheet has its classes.
pub(super) fn svg(drawing: &Drawing) -> Markup {
    let rows = rows(drawing);
    let width = LEFT + drawing.nodes.len() * COLUMN;
    let height = TOP + BOX_HEIGHT + (rows.len() + 1) * ROW;
    html! {
        div.scroll {
            svg.drawing role="img" aria-label="The plan's flows: who gives what to whom" xmlns="http://www.w3.org/2000/svg"
                width=(width) height=(height) viewBox={ "0 0 " (width) " " (height) } {
                @for (at, node) in drawing.nodes.iter().enumerate() { (party(at, node, height)) }
                @for (at, row) in rows.iter().enumerate() { (flow(row, TOP + BOX_HEIGHT + (at + 1) * ROW, width)) }
            }
        }
    }
}

/// What a flow waits for stands before the flow.
fn rows(drawing: &Drawing) -> Vec<Row<'_>> {
    let mut rows = Vec::new();
    for arrow in &drawing.arrows {
        for wait in drawing.waits.iter().filter(|wait| wait.flow == arrow.flow) {
            rows.push(Row { name: "", label: &wait.label, from: &wait.from, to: &wait.to, waits: true });
        }
        rows.push(Row { name: &arrow.flow, label: &arrow.label, from: &arrow.from, to: &arrow.to, waits: false });
    }
    rows
}

const fn middle(at: usize) -> usize {
    LEFT + at * COLUMN + BOX_WIDTH / 2
}

/// A text that fits into so many points.
fn cut(text: &str, points: usize) -> String {
    let most = (points / SIGN).max(1);
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most - 1).collect();
    format!("{kept}…")
}

fn party(at: usize, node: &Node, height: usize) -> Markup {
    let kind = match node.role {
        Role::Store => "store",
        Role::System => "system",
        Role::Watch => "watch",
        Role::Pager => "pager",
    };
    let (x, text) = (LEFT + at * COLUMN, middle(at));
    let marks = node.marks.join(", ");
    html! {
        g class={ "party " (kind) @for mark in &node.marks { " " (mark) } } {
            title { (node.name) ": " (node.about) @if !marks.is_empty() { ", " (marks) } }
            line.life x1=(text) x2=(text) y1=(TOP + BOX_HEIGHT) y2=(height) {}
            rect x=(x) y=(TOP) width=(BOX_WIDTH) height=(BOX_HEIGHT) rx="5" {}
            text.name x=(text) y=(TOP + 18) { (cut(&node.name, BOX_WIDTH)) }
            text.about x=(text) y=(TOP + 33) { (cut(&node.about, BOX_WIDTH)) }
            text.about.mark x=(text) y=(TOP + 46) { (marks) }
        }
    }
}

fn flow(row: &Row<'_>, y: usize, width: usize) -> Markup {
    let ends = || row.from.iter().chain(row.to);
    let (Some(first), Some(last)) = (ends().min(), ends().max()) else { return html! {} };
    let (left, right) = (middle(*first), middle(*last));
    let is_back = row.to.iter().all(|to| row.from.iter().all(|from| to < from));
    let head = |to: usize| if is_back { arrow_head(middle(to), y, 7) } else { arrow_head(middle(to), y, -7) };
    // To the right of where the arrow begins, or to the left of its end where there is no room.
    let room = width.saturating_sub(left + 10);
    let to_the_left = row.label.chars().count() * SIGN > room && right > room;
    html! {
        g.flow.waits[row.waits] {
            title { (row.name) @if !row.name.is_empty() { ": " } (row.label) }
            text.flow-name x="0" y=(y + 4) { (cut(row.name, LEFT - 12)) }
            line x1=(left) x2=(right) y1=(y) y2=(y) {}
            @for from in row.from { circle cx=(middle(*from)) cy=(y) r="3.5" {} }
            @for to in row.to { path d=(head(*to)) {} }
            @if to_the_left {
                text.label.end x=(right - 10) y=(y - 6) { (cut(row.label, right - 10)) }
            } @else {
                text.label x=(left + 10) y=(y - 6) { (cut(row.label, room)) }
            }
        }
    }
}

/// A triangle whose point is at `x`, and whose back is `back` points beside it.
fn arrow_head(x: usize, y: usize, back: i64) -> String {
    let x = i64::try_from(x).unwrap_or_default();
    format!("M{x} {y} l{back} -4 v8 z")
}

#[cfg(test)]
mod tests {
    use waybill_domain::Kind;
    use waybill_plan::show::{Arrow, Drawing, Node, Role, Wait};

    use super::{middle, svg};

    fn node(role: Role, name: &str) -> Node {
        Node { role, name: name.to_owned(), about: "about".to_owned(), marks: Vec::new() }
    }

    fn drawing() -> Drawing {
        let arrow = |flow: &str, label: &str, from: Vec<usize>, to: Vec<usize>| Arrow {
            flow: flow.to_owned(),
            kind: Kind::Order,
            label: label.to_owned(),
            from,
            to,
        };
        Drawing {
            nodes: vec![node(Role::Store, "main"), node(Role::System, "erp"), node(Role::System, "shipping")],
            arrows: vec![arrow("there", "order", vec![0], vec![2]), arrow("back", "shipment", vec![2], vec![0])],
            waits: vec![Wait {
                flow: "there".to_owned(),
                kind: Kind::Order,
                label: "there waits".to_owned(),
                from: vec![1],
                to: vec![2],
            }],
        }
    }

    #[test]
    fn an_arrow_ends_where_the_flow_does() {
        let drawn = svg(&drawing()).into_string();
        assert!(drawn.contains(&format!("d=\"M{} 124 l-7 -4 v8 z\"", middle(2))), "{drawn}");
        assert!(drawn.contains(&format!("d=\"M{} 158 l7 -4 v8 z\"", middle(0))), "back: {drawn}");
    }

    #[test]
    fn what_a_flow_waits_for_stands_above_it() {
        let drawn = svg(&drawing()).into_string();
        let at = |text: &str| drawn.find(text).unwrap_or_else(|| panic!("{text}: {drawn}"));
        assert!(at("class=\"flow waits\"") < at(">there: order<"), "{drawn}");
    }

    #[test]
    fn what_a_plan_says_stays_text() {
        let hostile = "</svg><script>x</script>";
        let mut drawing = drawing();
        drawing.arrows[0].label = hostile.to_owned();
        drawing.nodes[0].name = hostile.to_owned();
        let drawn = svg(&drawing).into_string();
        assert!(!drawn.contains("<script") && drawn.contains("&lt;script&gt;"), "{drawn}");
    }

    #[test]
    fn every_element_is_closed_so_that_none_swallows_the_next() {
        let drawn = svg(&drawing()).into_string();
        for element in ["line", "rect", "circle", "path", "text", "g", "title"] {
            let open = drawn.matches(&format!("<{element} ")).count() + drawn.matches(&format!("<{element}>")).count();
            assert_eq!(open, drawn.matches(&format!("</{element}>")).count(), "{element}: {drawn}");
        }
    }

    #[test]
    fn a_long_label_at_the_right_edge_runs_to_the_left() {
        let mut drawing = drawing();
        drawing.arrows[1] = Arrow { label: "x".repeat(60), from: vec![1], to: vec![2], ..drawing.arrows[1].clone() };
        let drawn = svg(&drawing).into_string();
        assert!(drawn.contains(&format!("class=\"label end\" x=\"{}\"", middle(2) - 10)), "{drawn}");
    }
}
