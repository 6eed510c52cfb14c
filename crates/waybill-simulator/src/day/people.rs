//! Who buys, and where they live.

use crate::shopify::Address;

/// A market: where the goods go, and so how they are taxed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Market {
    /// Prices contain tax.
    Austria,
    /// Tax comes on top.
    Germany,
    /// Two taxes come on top; paid in Canadian dollars.
    BritishColumbia,
    /// No tax; paid in the country's currency.
    Export(usize),
}

/// Given and family name.
const NAMES: &[(&str, &str)] = &[
    ("Anna", "Gruber"),
    ("Lukas", "Huber"),
    ("Søren", "Ærøskøbing"),
    ("Łukasz", "Żółć"),
    ("Zoë", "O'Connor"),
    ("José", "Núñez de la Peña"),
    ("山田", "太郎"),
    ("Nguyễn", "Thị Ánh"),
    ("Đorđe", "Ćirić"),
    ("Maximilian", "Müller-Lüdenscheidt"),
    ("Ingrid", "Þórsdóttir"),
    ("Chloé", "Lefèvre"),
    ("Αθηνά", "Παπαδοπούλου"),
    ("Ольга", "Иванова"),
    ("Noa", "Ben-David"),
    ("Fatima", "Al-Zahra"),
    ("Marie", "Bauer"),
    ("Paul", "Wagner"),
    ("Emma", "Pichler"),
    ("Jakob", "Steiner"),
    ("Sophie", "Moser"),
    ("Felix", "Mayer"),
    ("Lena", "Hofer"),
    ("David", "Leitner"),
    ("Laura", "Berger"),
    ("Tobias", "Fuchs"),
];

/// Street, city, postal code.
const AUSTRIA: &[[&str; 3]] = &[
    ["Gumpendorfer Straße 71/12", "Wien", "1060"],
    ["Herrengasse 4", "Graz", "8010"],
    ["Landstraße 33", "Linz", "4020"],
    ["Getreidegasse 9", "Salzburg", "5020"],
    ["Maria-Theresien-Straße 18", "Innsbruck", "6020"],
    ["Dorf 7", "Gößl am Grundlsee", "8993"],
];

const GERMANY: &[[&str; 3]] = &[
    ["Prenzlauer Allee 242", "Berlin", "10405"],
    ["Sendlinger Straße 8", "München", "80331"],
    ["Große Bleichen 21", "Hamburg", "20354"],
    ["Königstraße 1", "Nürnberg", "90402"],
];

const BRITISH_COLUMBIA: &[[&str; 3]] = &[
    ["845 Hornby Street", "Vancouver", "V6Z 1V1"],
    ["1175 Douglas Street", "Victoria", "V8W 2E1"],
    ["2031 Main Street, Unit 4", "Whistler", "V8E 0A1"],
];

/// Country, code, currency, rate in ten-thousandths, province and its code, street, city, postal code.
struct Abroad {
    country: &'static str,
    code: &'static str,
    currency: &'static str,
    rate: i64,
    province: Option<(&'static str, &'static str)>,
    address: [&'static str; 3],
}

const EXPORT: &[Abroad] = &[
    Abroad {
        country: "Switzerland",
        code: "CH",
        currency: "CHF",
        rate: 9_412,
        province: None,
        address: ["Langstrasse 64", "Zürich", "8004"],
    },
    Abroad {
        country: "United Kingdom",
        code: "GB",
        currency: "GBP",
        rate: 8_337,
        province: None,
        address: ["14 Broadwick Street", "London", "W1F 8HX"],
    },
    Abroad {
        country: "United States",
        code: "US",
        currency: "USD",
        rate: 10_843,
        province: Some(("New York", "NY")),
        address: ["350 5th Avenue", "New York", "10118"],
    },
    Abroad {
        country: "Japan",
        code: "JP",
        currency: "JPY",
        rate: 1_623_000,
        province: Some(("Tōkyō", "JP-13")),
        address: ["神宮前1-5-8", "渋谷区", "150-0001"],
    },
];

/// How many countries goods are exported to.
pub(crate) const EXPORTS: usize = EXPORT.len();

/// A person who buys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Person {
    pub(crate) first: String,
    pub(crate) last: String,
    pub(crate) email: String,
    pub(crate) phone: String,
    pub(crate) market: Market,
    pub(crate) address: Address,
}

/// The buyer's currency and its rate, if it is not the shop's.
pub(crate) fn presentment(market: Market) -> Option<(String, rust_decimal::Decimal)> {
    match market {
        Market::Austria | Market::Germany => None,
        Market::BritishColumbia => Some(("CAD".into(), rust_decimal::Decimal::new(14_871, 4))),
        Market::Export(at) => {
            let abroad = &EXPORT[at];
            Some((abroad.currency.into(), rust_decimal::Decimal::new(abroad.rate, 4)))
        }
    }
}

/// A market, most often the one at home.
pub(crate) fn market(rng: &mut fastrand::Rng) -> Market {
    match rng.u32(..100) {
        0..58 => Market::Austria,
        58..82 => Market::Germany,
        82..90 => Market::BritishColumbia,
        _ => Market::Export(rng.usize(..EXPORTS)),
    }
}

/// The person with a number. Numbers make e-mails unique.
pub(crate) fn person(rng: &mut fastrand::Rng, number: usize) -> Person {
    let market = market(rng);
    person_in(rng, number, market)
}

/// The person with a number, in a market.
pub(crate) fn person_in(rng: &mut fastrand::Rng, number: usize, market: Market) -> Person {
    let (first, last) = NAMES[rng.usize(..NAMES.len())];
    let ascii: String = first.chars().filter(char::is_ascii_alphanumeric).collect();
    let local = if ascii.is_empty() { "buyer".to_owned() } else { ascii.to_lowercase() };
    let phone = format!("+43 1 555{:05}", number % 100_000);
    let (place, country, code, province) = match market {
        Market::Austria => (AUSTRIA[rng.usize(..AUSTRIA.len())], "Austria", "AT", None),
        Market::Germany => (GERMANY[rng.usize(..GERMANY.len())], "Germany", "DE", None),
        Market::BritishColumbia => {
            let place = BRITISH_COLUMBIA[rng.usize(..BRITISH_COLUMBIA.len())];
            (place, "Canada", "CA", Some(("British Columbia", "BC")))
        }
        Market::Export(at) => {
            let abroad = &EXPORT[at];
            (abroad.address, abroad.country, abroad.code, abroad.province)
        }
    };
    let [street, city, zip] = place;
    let company = (rng.u32(..10) == 0).then(|| format!("{last} & Söhne GmbH"));
    let address = Address {
        first_name: Some(first.into()),
        last_name: Some(last.into()),
        company,
        address1: street.into(),
        address2: (rng.u32(..6) == 0).then(|| "Stiege 2, Tür 14".into()),
        city: city.into(),
        zip: zip.into(),
        province: province.map(|(word, _)| word.into()),
        province_code: province.map(|(_, code)| code.into()),
        country: country.into(),
        country_code: code.into(),
        phone: Some(phone.clone()),
    };
    let email = format!("{local}.{number}@example.com");
    Person { first: first.into(), last: last.into(), email, phone, market, address }
}
