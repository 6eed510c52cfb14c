//! What the plan says, on the page "Plan".

use std::path::PathBuf;

use waybill_testkit::ScratchFolder;

use crate::{
    browser::Desk,
    world::{World, obeying},
};

/// A plan's file that a test can change.
struct File {
    folder: ScratchFolder,
}

impl File {
    fn new(text: &str) -> Self {
        let file = Self { folder: ScratchFolder::new("plan-shown").unwrap() };
        file.write(text);
        file
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("plan.toml")
    }

    fn write(&self, text: &str) {
        std::fs::write(self.path(), text).unwrap();
    }

    fn world(&self) -> World {
        World { plan: self.path().display().to_string(), ..World::default() }
    }
}

fn example() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/plans/example.toml");
    std::fs::read_to_string(path).unwrap()
}

fn changed(from: &str, to: &str) -> String {
    let text = example();
    assert!(text.contains(from), "the example plan has no '{from}'");
    text.replacen(from, to, 1)
}

/// The hash that the page says of the file.
fn hash_on(page: &str) -> String {
    let (_, rest) =
        page.split_once("From the file, plan <code>").unwrap_or_else(|| panic!("no plan is shown:\n{page}"));
    rest.chars().take_while(char::is_ascii_hexdigit).collect()
}

#[tokio::test]
async fn the_five_questions_are_answered_for_each_kind() {
    let file = File::new(&example());
    let page = Desk::open(file.world()).await.get("/plan").await;
    for kind in ["order", "customer", "shipment", "stock-level"] {
        page.must_say(&format!(r#"<h2 id="kind-{kind}">"#));
    }
    for question in
        ["What moves", "When", "Who owns it", "What happens when values differ", "What happens when it fails"]
    {
        page.must_say(&format!(">{question}</th>"));
    }
    page.must_say("order.captured and order.requires_shipping");
    page.must_say("erp has accepted the record in any revision");
    page.must_say("hs_order_name");
}

#[tokio::test]
async fn the_flows_are_drawn_without_a_script() {
    let file = File::new(&example());
    let page = Desk::open(file.world()).await.get("/plan").await;
    page.must_say(r#"<svg class="drawing" role="img""#);
    page.must_say("<title>orders-to-erp: order if order.captured</title>");
    page.must_not_say("<script");
    page.must_not_say("style=");
}

#[tokio::test]
async fn a_changed_plan_is_shown_at_once() {
    let file = File::new(&example());
    let desk = Desk::open(file.world()).await;
    desk.get("/plan").await.must_not_say("every night");
    file.write(&changed("name = \"orders-to-erp\"", "name = \"every night\""));
    desk.get("/plan").await.must_say("every night");
}

#[tokio::test]
async fn a_plan_that_does_not_pass_is_told_with_its_problems_and_no_line_of_it() {
    let file = File::new(&changed("safety = ", "password = \"s3cret\"\nsaftey = "));
    let page = Desk::open(file.world()).await.get("/plan").await;
    page.must_say("does not pass");
    page.must_say("WB-P019");
    page.must_say("saftey");
    page.must_not_say("s3cret");
}

#[tokio::test]
async fn a_file_that_is_not_there_is_said_and_so_is_none() {
    let world = World { plan: "/no/such/plan.toml".to_owned(), ..World::default() };
    let page = Desk::open(world).await.get("/plan").await;
    page.must_say("<code>/no/such/plan.toml</code>");
    page.must_say("cannot be read here");
    Desk::open(World::default()).await.get("/plan").await.must_say("set <code>WAYBILL_PLAN</code>");
}

#[tokio::test]
async fn it_is_said_how_many_replicas_obey_what_is_shown() {
    let file = File::new(&example());
    let desk = Desk::open(file.world()).await;
    let alone = desk.get("/plan").await;
    alone.must_say("Whether it is obeyed is not known.");
    let hash = hash_on(&alone.text);
    desk.services.world().replicas = vec![obeying("erp-sync", &hash), obeying("crm-sync", &hash)];
    desk.get("/plan").await.must_say("which every replica obeys.");
    desk.services.world().replicas.push(obeying("alerter", "591785b79460"));
    desk.get("/plan").await.must_say("2 of 3 replicas obey it.");
}

#[tokio::test]
async fn what_is_no_reference_is_not_shown_of_a_setting() {
    let file = File::new(&changed("connector = \"hubspot\"", "connector = \"hubspot\"\nportal = \"s3cret\""));
    let page = Desk::open(file.world()).await.get("/plan").await;
    page.must_say("portal (not shown)");
    page.must_say("token = env:HUBSPOT_TOKEN");
    page.must_not_say("s3cret");
}

#[tokio::test]
async fn what_a_plan_says_stays_text() {
    let hostile = "<script>alert(1)</script>";
    let file = File::new(&changed("name = \"orders-to-erp\"", &format!("name = \"{hostile}\"")));
    let page = Desk::open(file.world()).await.get("/plan").await;
    page.must_not_say("<script");
    page.must_say("&lt;script&gt;");
}
