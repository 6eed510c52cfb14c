//! People: contacts, one per e-mail address.

use async_trait::async_trait;
use waybill_connector::{Applied, Failure, Known, Look, LookCall, Sink, Step, StepCall};
use waybill_domain::document::CustomerDocument;

use crate::{
    CONTACT_KEY_PROPERTY, HubSpot,
    batch::{self, Deadline, MOST_INPUTS, Outcome, Write},
    client::Call,
    mapping::{self, EMAIL},
    matching::Sought,
    records::{self, Record, Saved},
    wire::{BatchRead, Id, Kind, Object, Properties},
};

/// The role of a contact in [`Known`].
pub(crate) const CUSTOMER: &str = "customer";
const STEP: Step = Step::idempotent("contact", CUSTOMER);

/// By what a contact is recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Id,
    Email,
    Key,
}

/// One person to be written.
pub(crate) struct Wanted<'a> {
    pub(crate) document: &'a CustomerDocument,
    /// The contact that an earlier revision of the same person left.
    pub(crate) known: Option<&'a str>,
}

impl<'a> Wanted<'a> {
    /// What the person is looked for by, if HubSpot is asked first.
    pub(crate) fn sought(&self) -> Sought<'a> {
        let document = self.document;
        Sought::new(document.key.as_str(), self.known, &document.policy, document.email.expose())
    }

    fn is_plain(&self) -> bool {
        records::is_plain(&self.document.policy)
    }

    fn record(&self) -> Record<'a> {
        Record {
            key: self.document.key.as_str(),
            known: self.known,
            policy: &self.document.policy,
            email: self.document.email.expose(),
            joins: false,
            properties: mapping::contact(self.document),
            required: Properties::new(),
        }
    }

    fn first_way(&self) -> Way {
        if self.known.is_some() { Way::Id } else { self.way_without_id() }
    }

    fn way_without_id(&self) -> Way {
        if self.document.email.expose().is_empty() { Way::Key } else { Way::Email }
    }

    /// The way's property (`None` for the record's id) and value; `None` if the person has none.
    fn identity(&self, way: Way) -> Option<(Option<&'static str>, &'a str)> {
        match way {
            Way::Id => self.known.map(|id| (None, id)),
            Way::Email => {
                let email = self.document.email.expose();
                (!email.is_empty()).then_some((Some(EMAIL), email))
            }
            Way::Key => Some((Some(CONTACT_KEY_PROPERTY), self.document.key.as_str())),
        }
    }

    fn write(&self, way: Way) -> Write {
        let (id_property, id) = self.identity(way).expect("a way is chosen only if the person has its value");
        Write {
            call: if way == Way::Id { Call::Update } else { Call::Upsert },
            id_property: id_property.map(str::to_owned),
            id: id.to_owned(),
            properties: mapping::contact(self.document),
        }
    }
}

/// What a way's outcome leads to.
enum Next {
    Done(Result<Saved, Failure>),
    Try(Way),
}

fn next(wanted: &Wanted<'_>, way: Way, outcome: Outcome) -> Next {
    match (way, outcome) {
        (_, Outcome::Written(contact)) => Next::Done(Ok(Saved { id: contact.id, wrote: true })),
        (_, Outcome::Failed(failure)) => Next::Done(Err(failure)),
        // Deleted or merged away in HubSpot.
        (Way::Id, Outcome::Missing) => Next::Try(wanted.way_without_id()),
        (Way::Email | Way::Key, Outcome::Missing) => {
            Next::Done(Err(Failure::malformed("HubSpot misses a record that it was to create", b"")))
        }
        // The person is there under another e-mail.
        (Way::Email, Outcome::Refused(refusal)) if refusal.is_taken(CONTACT_KEY_PROPERTY) => Next::Try(Way::Key),
        // Somebody created the contact at the same time; it is updated next time.
        (Way::Email, Outcome::Refused(refusal)) if refusal.is_taken(EMAIL) => {
            Next::Done(Err(Failure::Transient { message: "the contact was created at the same time".to_owned() }))
        }
        (_, Outcome::Refused(refusal)) => {
            Next::Done(Err(refusal.into_failure(Kind::Contacts, &mapping::contact(wanted.document))))
        }
    }
}

impl HubSpot {
    /// Writes people; answers each one's contact. Those whose plan has no rules for it are written without a look.
    pub(crate) async fn write_contacts(&self, wanted: &[Wanted<'_>]) -> Vec<Result<Saved, Failure>> {
        let plain: Vec<&Wanted<'_>> = wanted.iter().filter(|wanted| wanted.is_plain()).collect();
        let ruled: Vec<Record<'_>> = wanted.iter().filter(|wanted| !wanted.is_plain()).map(Wanted::record).collect();
        let mut plain = self.write_plain_contacts(&plain).await.into_iter();
        let mut ruled = self.write_records(Kind::Contacts, &ruled).await.into_iter();
        let result = |wanted: &Wanted<'_>| if wanted.is_plain() { plain.next() } else { ruled.next() };
        wanted.iter().map(result).map(|result| result.expect("one result per person")).collect()
    }

    async fn write_plain_contacts(&self, wanted: &[&Wanted<'_>]) -> Vec<Result<Saved, Failure>> {
        let mut results: Vec<Option<Result<Saved, Failure>>> = wanted.iter().map(|_| None).collect();
        let mut open: Vec<(usize, Way)> =
            wanted.iter().enumerate().map(|(at, wanted)| (at, wanted.first_way())).collect();
        let deadline = Deadline::from_now();
        // Each person is tried at most once by id, by e-mail and by key.
        while !open.is_empty() {
            let writes: Vec<Write> = open.iter().map(|&(at, way)| wanted[at].write(way)).collect();
            let outcomes =
                batch::write_all(&self.client, Kind::Contacts, CONTACT_KEY_PROPERTY, &writes, deadline).await;
            let tried = std::mem::take(&mut open);
            for ((at, way), outcome) in tried.into_iter().zip(outcomes) {
                match next(wanted[at], way, outcome) {
                    Next::Done(result) => results[at] = Some(result),
                    Next::Try(way) => open.push((at, way)),
                }
            }
        }
        results.into_iter().map(|result| result.expect("the loop ends when every person has a result")).collect()
    }

    /// The contact of a person and whether it shows the person's values.
    pub(crate) async fn find_contact(&self, wanted: &Wanted<'_>) -> Result<Option<(String, bool)>, Failure> {
        if !wanted.is_plain() {
            return self.find_record(Kind::Contacts, &wanted.record()).await;
        }
        let properties = mapping::contact(wanted.document);
        for way in [Way::Id, Way::Email, Way::Key] {
            let Some((id_property, id)) = wanted.identity(way) else {
                continue;
            };
            if let Some(contact) = self.read_one(Kind::Contacts, id_property, id, &properties).await? {
                let shows = mapping::shows(&contact, &properties);
                return Ok(Some((contact.id, shows)));
            }
        }
        Ok(None)
    }

    /// Reads a record by id or unique property, with the properties of the same names as these.
    pub(crate) async fn read_one(
        &self,
        kind: Kind,
        id_property: Option<&str>,
        id: &str,
        properties: &Properties,
    ) -> Result<Option<Object>, Failure> {
        let body = BatchRead {
            inputs: vec![Id { id }],
            id_property,
            properties: properties.keys().map(String::as_str).collect(),
            properties_with_history: Vec::new(),
        };
        Ok(self.client.read(kind, &body).await?.results.into_iter().next())
    }
}

fn wanted<'a>(call: &StepCall<'a, CustomerDocument>) -> Wanted<'a> {
    Wanted { document: call.document, known: call.known.get(CUSTOMER).map(String::as_str) }
}

#[async_trait]
impl Sink<CustomerDocument> for HubSpot {
    fn steps(&self, _customer: &CustomerDocument, _known: &Known) -> Vec<Step> {
        vec![STEP]
    }

    fn batch_size(&self, _step: &str) -> usize {
        MOST_INPUTS
    }

    async fn apply(&self, calls: &[StepCall<'_, CustomerDocument>]) -> Vec<Result<Applied, Failure>> {
        let people: Vec<Wanted<'_>> = calls.iter().map(wanted).collect();
        let results = self.write_contacts(&people).await;
        results.into_iter().map(|result| result.map(|saved| saved.applied(CUSTOMER))).collect()
    }

    async fn find(&self, call: &StepCall<'_, CustomerDocument>) -> Result<Option<Applied>, Failure> {
        let found = self.find_contact(&wanted(call)).await?;
        Ok(found.filter(|(_, shows)| *shows).map(|(id, _)| Applied::unchanged(CUSTOMER, id)))
    }

    async fn look(&self, calls: &[LookCall<'_, CustomerDocument>]) -> Vec<Result<Look, Failure>> {
        self.look_for_customers(calls).await
    }
}
