//! Plans and expressions that nobody would write: never a panic, never slow, never large. The same on every run.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::{Duration, Instant},
};

use waybill_domain::Snapshot;
use waybill_plan::{Connectors, Decision, DeliveryFacts, Facts, Plan, References, Remote, decide};
use waybill_testkit::records::{order, refund_of};

use crate::fixture::{PLAN, PROBE, connectors};

/// Far longer than a check takes: on an idle machine the slowest here takes half a second without optimisation.
const MOST_TIME: Duration = Duration::from_secs(10);
/// More than all of this takes together.
const MOST_MEMORY_KIB: u64 = 384 * 1024;

/// Numbers that look random and are the same on every run (xorshift64*).
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(number).unwrap() % limit.max(1)
    }

    /// One of several texts with § between them.
    fn pick<'a>(&mut self, of: &'a str) -> &'a str {
        let count = of.matches('§').count() + 1;
        of.split('§').nth(self.below(count)).unwrap_or_default()
    }

    /// A place between two characters.
    fn place(&mut self, text: &str) -> usize {
        let at = self.below(text.len() + 1);
        (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
    }

    /// A part of a text, seldom a long one.
    fn part(&mut self, text: &str) -> std::ops::Range<usize> {
        let longest = if self.below(8) == 0 { text.len() } else { 12 };
        let start = self.place(text);
        let length = self.below(longest.max(1)) + 1;
        let end = (start + length).min(text.len());
        let end = (start..=end).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(start);
        start..end
    }

    /// An expression that is well written, whatever it may mean: @ stands for a value, ? for a condition.
    fn grown(&mut self, depth: usize, form: &str) -> String {
        let mut expression = String::new();
        for letter in form.chars() {
            let inner = match letter {
                '@' if depth == 0 => self.pick(ATOMS).to_owned(),
                '@' => {
                    let (depth, form) = (self.below(depth), self.pick(VALUES));
                    self.grown(depth, form)
                }
                '?' if depth == 0 => "order.captured".to_owned(),
                '?' => {
                    let (depth, form) = (self.below(depth), self.pick(CONDITIONS));
                    self.grown(depth, form)
                }
                letter => letter.to_string(),
            };
            expression.push_str(&inner);
        }
        expression
    }

    /// The text with one to three changes.
    fn mutated(&mut self, text: &str, words: &str) -> String {
        let mut text = text.to_owned();
        for _ in 0..=self.below(3) {
            let (at, part) = (self.place(&text), self.part(&text));
            match self.below(6) {
                0 => text.replace_range(part, ""),
                1 => text.insert_str(at, self.pick(words)),
                2 => text.replace_range(part, self.pick(words)),
                3 => {
                    let copy = text[part].to_owned();
                    text.insert_str(at, &copy);
                }
                4 => {
                    let many = self.pick(words).repeat(self.below(40));
                    text.insert_str(at, &many);
                }
                _ => text.insert(at, char::from_u32(u32::try_from(self.below(0x11_0000)).unwrap()).unwrap_or('x')),
            }
        }
        text
    }
}

const TOML: &str = concat!(
    "[§]§[[§]]§{§}§\"§'§\"\"\"§'''§\\§=§.§,§#§\n§\r\n§\t§\0§0x§1e999§-0§inf§nan§99999999999999999999§",
    "2026-11-01§02:00:00§true§env:X§file:/x§store§systems§stores§flows§kinds§fields§when = §",
    "after = [\"erp\"]§to = \"erp\"§[[flows]]§[systems.erp]§\u{feff}§🙂§\u{202e}",
);

const WORDS: &str = concat!(
    "order§order.§order.total§order.customer§order.customer.email§order.tags§order.lines§order.lines[0].sku§",
    "order.cancelled_at§order.cancel_reason§order.totals.duties§totals.spent§store§channel§line§tables§",
    "captured§(§)§[§]§{§}§,§:§.§|§~§+§-§*§**§/§//§%§==§!=§<§>=§ and § or § not § in § is § if § else §none§",
    "true§'x'§\"§'§0§1§9999999999999999999999§1e308§0.1§decimal('1.50')§plus(§round(§lookup('tax', §",
    "|default('')§|join(',')",
);

const ATOMS: &str = concat!(
    "order.note§order.total§order.captured§order.country§order.tags§order.lines§order.customer.email§",
    "order.customer§order.cancelled_at§order.cancel_reason§order.created_at§order.financial_status§",
    "order.refunds§totals.orders§'AT'§'paid'§1§decimal('1.50')§none§true",
);

const VALUES: &str = concat!(
    "@§@ | default('')§@ | lower§@ | string§@ | length§@ | join(', ')§@ | first§@ | first | default('')§",
    "@ | replace('a', @)§(@ ~ @)§plus(@, @)§round(@, 2)§decimal(@)§@[0]§@[0:3]§lookup('tax', @, 'x')§('a' if ? else 'b')§",
    "(@ if ?)§(@ if ? else none)§minus(@, @)§-@§@ + @",
);

const CONDITIONS: &str = concat!(
    "? and ?§? or ?§not ?§@ == @§@ != @§(@ > @)§@ <= @ < @§@ in [@, @]§@ in @§@ not in @§@ is none§@ is not none§",
    "@ is defined§@ is startingwith 'a'§@ and @ == @§@ or ?",
);

const EXPRESSIONS: [&str; 14] = [
    "order.captured and order.total > decimal('1.00')",
    "order.country in ['AT', 'DE'] and not order.cancelled",
    "order.customer.email | default('') | lower",
    "order.note or none",
    "lookup('tax', order.tags | first | default('AT VAT'))",
    "'a' if order.total > decimal('500') else 'b' if order.test else 'c'",
    "order.lines | join(', ', 'sku')",
    "order.created_at[0:10] ~ ' ' ~ order.name | replace('#', '')",
    "round(times(order.total, '0.5'), 2)",
    "(order.lines | first).title | upper | trim",
    "order.cancelled_at and order.cancelled_at > '2026-01-01'",
    "decimal('1') < order.total < decimal('500')",
    "{'AT': 'post', 'DE': 'dhl'}[order.country] | default('ups')",
    "order.shipping_address is not none and order.shipping_address.city is startingwith 'W'",
];

/// What is too much for whoever computes it.
fn bombs() -> Vec<String> {
    let nested = |open: &str, close: &str, depth: usize| format!("{}1{}", open.repeat(depth), close.repeat(depth));
    let mut bombs: Vec<String> = [
        "'x' * 10**9",
        "'x' * 1000000000",
        "[1] * 1000000000",
        "order.tags * 999999999",
        "order.name * order.lines[0].quantity",
        "9 ** 9 ** 9 ** 9",
        "10 ** 4000",
        "9223372036854775807 + 1",
        "-9223372036854775808 // -1",
        "170141183460469231731687303715884105727 * 2",
        "5 // 0",
        "5 % 0",
        "round(order.total, 4294967295)",
        "times(times(times(order.total, '79228162514264337593543950335'), '9999999999999'), '99999999999')",
        "plus('79228162514264337593543950335', '79228162514264337593543950335')",
        "decimal('1e999999999')",
        "order.note[9223372036854775807:]",
        "order.note[::-9223372036854775808]",
        "order.note[::0 - 9223372036854775807 - 1]",
        "order.note[::0]",
        "order.tags[-9223372036854775808]",
        "order.tags[:order.lines | length]",
        "range(1000000000)",
        "order.lines | map('sku') | list",
    ]
    .map(str::to_owned)
    .to_vec();
    for (open, close) in [("(", ")"), ("[", "]"), ("{1:", "}"), ("plus(", ", 1)"), ("a[", "]"), ("-(", ")")] {
        bombs.push(nested(open, close, 60));
        bombs.push(nested(open, close, 10_000));
    }
    for part in ["-", "not ", "(", "[", "1 + ", "a or ", "'a' ~ ", "a if b else ", "1 < ", "- -", "a.b[c](", "\"\" "] {
        bombs.push(format!("{}1", part.repeat(4000 / part.len())));
        bombs.push(format!("{}1", part.repeat(100_000)));
    }
    for part in [".a", "|trim", "[0]", "(1)", " is none", " or a", ", 1", "|default('x')", "|replace('x', 'xxxxxxxx')"]
    {
        bombs.push(format!("order.note{}", part.repeat(3900 / part.len())));
        bombs.push(format!("order.note{}", part.repeat(100)));
    }
    let doubled = "'xxxxxxxxxxxxxxxx'".to_owned() + &" | replace('x', 'xxxxxxxxxxxxxxxx')".repeat(30);
    bombs.push(doubled.clone());
    bombs.push(format!("[{}] | join", vec![doubled; 4].join(", ")));
    bombs.push(format!("order.note | replace('', '{}')", "y".repeat(3900)));
    bombs
}

/// An order with all that expressions of these tests name, and one with as little as there can be.
fn orders() -> [Snapshot; 2] {
    let full = order(1001).paid().with_line("TEE", 2, "24.00").taxed("AT VAT", "0.2", "8.00").shipped_for("5.00");
    let refund = refund_of(&full).of_line(0, 1).build();
    let mut bare = order(1002).with_line("TEE", 1, "24.00").build();
    (bare.customer, bare.shipping_address, bare.billing_address) = (None, None, None);
    let bare = waybill_testkit::records::snapshot(
        waybill_domain::Kind::Order,
        bare.id.clone(),
        1,
        waybill_domain::Body::Order(Box::new(bare)),
    );
    [full.with_refund(refund).at_revision(1), bare]
}

/// A plan with an expression as a condition and as fields' values.
fn plan_with(expression: &str) -> String {
    let literal = toml::Value::String(expression.to_owned()).to_string();
    format!("{PROBE}when = {literal}\napproval = {literal}\n{}", fields(&literal))
}

fn fields(literal: &str) -> String {
    format!("[flows.fields]\na = {literal}\nb = {{ value = {literal}, missing = \"skip\" }}\n")
}

/// The plan with it as fields' values alone.
fn plan_of_value(expression: &str) -> String {
    format!("{PROBE}{}", fields(&toml::Value::String(expression.to_owned()).to_string()))
}

/// Checks a plan and, where it passes, decides with it: in time, and without a panic.
#[track_caller]
fn survives(text: &str, orders: &[Snapshot]) -> bool {
    let connectors = connectors();
    let began = Instant::now();
    let checked = catch_unwind(AssertUnwindSafe(|| match Plan::parse(text, Connectors::All(&connectors)) {
        Ok(plan) => {
            for snapshot in orders {
                for flow in plan.flows.iter().filter(|flow| flow.kind == snapshot.key.kind) {
                    let (facts, delivery) = (Facts::default(), DeliveryFacts::default());
                    let _: Decision = decide(&plan, flow, snapshot, &delivery, &facts, &Remote::NotRead);
                }
            }
            true
        }
        Err(problems) => {
            assert!(!problems.problems.is_empty(), "a plan that is refused without a problem");
            // As people are shown them.
            assert!(problems.render("plan.toml").lines().all(|line| line.chars().count() < 2000), "a line without end");
            false
        }
    }));
    let took = began.elapsed();
    let passes = checked.unwrap_or_else(|_| panic!("a panic of:\n{text}"));
    assert!(took < MOST_TIME, "{took:?} for:\n{}", text.chars().take(2000).collect::<String>());
    passes
}

/// The most memory that this process ever had, where the system tells it.
fn assert_memory_is_small() {
    let Ok(status) = std::fs::read_to_string("/proc/self/status") else { return };
    let most = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let most: u64 = most.and_then(|most| most.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0);
    assert!(most < MOST_MEMORY_KIB, "{most} KiB");
}

#[test]
fn thousands_of_mutated_plans_are_checked_without_a_panic() {
    let mut chance = Chance(0x5eed_0001);
    let orders = orders();
    let passed = (0..6000).filter(|_| survives(&chance.mutated(PLAN, TOML), &orders)).count();
    // Neither all of them nor none, else they say nothing.
    assert!((50..5000).contains(&passed), "{passed} passed");
    assert_memory_is_small();
}

#[test]
fn thousands_of_mutated_expressions_are_checked_and_computed_without_a_panic() {
    let mut chance = Chance(0x5eed_0002);
    let orders = orders();
    let mut passed = 0;
    for round in 0..12_000 {
        let expression = if round % 2 == 0 {
            chance.grown(3, "@")
        } else {
            let before = EXPRESSIONS[chance.below(EXPRESSIONS.len())];
            chance.mutated(before, WORDS)
        };
        let plan = if round % 3 == 0 { plan_with(&expression) } else { plan_of_value(&expression) };
        passed += usize::from(survives(&plan, &orders));
    }
    assert!((500..9000).contains(&passed), "{passed} passed");
    assert_memory_is_small();
}

#[test]
fn what_would_grow_or_nest_without_end_is_refused_or_computed_in_bounds() {
    let orders = orders();
    for bomb in bombs() {
        survives(&plan_with(&bomb), &orders);
        survives(&plan_of_value(&bomb), &orders);
    }
    assert_memory_is_small();
}

#[test]
fn files_that_are_huge_or_nested_without_end_are_told_in_time() {
    let flows = PLAN.find("[[flows]]").unwrap();
    let many = |line: &dyn Fn(usize) -> String, count| (0..count).map(line).collect::<String>();
    let files = [
        String::new(),
        "\u{feff}".to_owned(),
        format!("a = {}{}\n{PLAN}", "[".repeat(10_000), "]".repeat(10_000)),
        format!("a = {}1{}\n{PLAN}", "{a=".repeat(10_000), "}".repeat(10_000)),
        format!("a{} = 1\n{PLAN}", ".a".repeat(100_000)),
        format!("[{}]\n{PLAN}", "a.".repeat(50_000)),
        PLAN.replacen("\"erp\"", &format!("\"{}\"", "x".repeat(1_000_000)), 1),
        PLAN.replacen("[systems.erp]", &format!("[systems.{}]", "x".repeat(500_000)), 1),
        PLAN.replacen("[tables.tax]", &format!("[tables.tax]\n{}", many(&|n| format!("k{n} = \"v\"\n"), 20_000)), 1),
        format!("{}{PLAN}", many(&|n| format!("k{n} = 1\n"), 10_000)),
        format!("{PLAN}{}", many(&|n| format!("[[flows]]\nname = \"f{n}\"\nkind = \"order\"\nto = \"erp\"\n"), 2000)),
        format!("{PLAN}{}", "[[flows]]\n".repeat(5000)),
        format!("{}{}", many(&|n| format!("[systems.s{n}]\nconnector = \"people\"\n"), 3000), &PLAN[flows..]),
        format!("a = \"\"\"{PLAN}"),
        format!("a = [{}", "\"x\",\n".repeat(20_000)),
    ];
    for file in files {
        survives(&file, &[]);
    }
    assert_memory_is_small();
}

/// Why an expression that is typed well may still fail for a record: what stands in its texts.
const OF_THE_RECORD: [&str; 3] = ["not an exact decimal", "more than can be held exactly", "would become longer"];

#[test]
fn what_passes_without_a_warning_can_be_computed_for_every_record() {
    let mut chance = Chance(0x5eed_0003);
    let (orders, connectors) = (orders(), connectors());
    let mut computed = 0;
    for round in 0..4000 {
        let expression = chance.grown(3, if round % 3 == 0 { "('a' if ? else 'b')" } else { "@" });
        let literal = toml::Value::String(expression.clone()).to_string();
        let plan = format!("{PROBE}[flows.fields]\na = {literal}\n");
        let Ok(checked) = Plan::check(&plan, Connectors::All(&connectors), References::Ignored) else { continue };
        if !checked.warnings.problems.is_empty() {
            continue;
        }
        for snapshot in &orders {
            let (facts, delivery) = (Facts::default(), DeliveryFacts::default());
            let flow = &checked.plan.flows[0];
            let decision = decide(&checked.plan, flow, snapshot, &delivery, &facts, &Remote::NotRead);
            if let Decision::Park { code: "map_error", message, .. } = &decision {
                let is_of_the_record = OF_THE_RECORD.iter().any(|reason| message.contains(reason));
                assert!(is_of_the_record, "{expression} passes, and then: {message}");
            }
            computed += 1;
        }
    }
    assert!(computed > 500, "{computed} computed");
}
