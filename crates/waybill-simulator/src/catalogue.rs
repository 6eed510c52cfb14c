//! The demo's goods, taxes, places and ways of shipping, as one place that every simulator is seeded from.
//!
//! Prices are without tax, in the shop's currency. They are chosen so that the taxes of one unit come out exact to the
//! cent at the Austrian rates; see `day` for the orders where they do not.

use rust_decimal::Decimal;

/// The shop's currency.
pub const CURRENCY: &str = "EUR";

/// How an item is taxed in Austria and Germany.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaxClass {
    /// 20 % in Austria, 19 % in Germany.
    Standard,
    /// 10 % in Austria, 7 % in Germany: books and food.
    Reduced,
    /// None: gift cards.
    None,
}

/// One item that the shop sells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Item {
    /// SKU in the store, code in the ERP.
    pub code: &'static str,
    /// What the buyer sees.
    pub product: &'static str,
    /// Which form of the product; `Default Title` if there is one only.
    pub variant: &'static str,
    /// Price of one without tax, in cents of [`CURRENCY`].
    pub cents: i64,
    /// Weight of one in grams; 0 for what is not shipped.
    pub grams: i64,
    /// How it is taxed.
    pub tax: TaxClass,
    /// Units at each of [`LOCATIONS`], in their order. What is not shipped has none.
    pub stock: [i64; 2],
    /// What it is.
    pub kind: ItemKind,
}

/// What an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItemKind {
    /// Sent in a parcel.
    Goods,
    /// Handed over by e-mail.
    Digital,
    /// Money to spend later.
    GiftCard,
}

impl Item {
    /// Price of one without tax.
    pub fn price(&self) -> Decimal {
        Decimal::new(self.cents, 2)
    }

    /// What people call it: product and form.
    pub fn name(&self) -> String {
        if self.variant == "Default Title" {
            self.product.to_owned()
        } else {
            format!("{} - {}", self.product, self.variant)
        }
    }

    /// Units at all places.
    pub fn units(&self) -> i64 {
        self.stock.iter().sum()
    }
}

#[expect(clippy::too_many_arguments, reason = "a row of the table below")]
const fn item(
    code: &'static str,
    product: &'static str,
    variant: &'static str,
    cents: i64,
    grams: i64,
    tax: TaxClass,
    stock: [i64; 2],
    kind: ItemKind,
) -> Item {
    Item { code, product, variant, cents, grams, tax, stock, kind }
}

use ItemKind::{Digital, GiftCard, Goods};
use TaxClass::{Reduced, Standard};

const ONE: &str = "Default Title";

/// What the shop sells.
#[rustfmt::skip]
pub const ITEMS: &[Item] = &[
    item("TEE-WHITE-S", "Organic Tee", "White / S", 2400, 180, Standard, [4000, 300], Goods),
    item("TEE-WHITE-M", "Organic Tee", "White / M", 2400, 190, Standard, [6000, 400], Goods),
    item("TEE-WHITE-L", "Organic Tee", "White / L", 2400, 200, Standard, [5000, 300], Goods),
    item("TEE-BLACK-M", "Organic Tee", "Black / M", 2400, 190, Standard, [6000, 400], Goods),
    item("HOODIE-S", "Loden Hoodie", "S", 6900, 560, Standard, [1500, 100], Goods),
    item("HOODIE-M", "Loden Hoodie", "M", 6900, 590, Standard, [2500, 150], Goods),
    item("HOODIE-L", "Loden Hoodie", "L", 6900, 620, Standard, [2000, 150], Goods),
    item("CAP-GREEN", "Forest Cap", ONE, 1900, 110, Standard, [3000, 200], Goods),
    item("SCARF-WOOL", "Wool Scarf", ONE, 3900, 210, Standard, [1800, 100], Goods),
    item("SOCKS-3", "Hiking Socks", "3 pairs", 1795, 150, Standard, [4000, 300], Goods),
    item("MUG-300", "Enamel Mug", "300 ml", 1295, 240, Standard, [5000, 400], Goods),
    item("MUG-500", "Enamel Mug", "500 ml", 1595, 330, Standard, [4000, 300], Goods),
    item("BOTTLE-750", "Steel Bottle", "750 ml", 2995, 380, Standard, [3500, 200], Goods),
    item("KNIFE-POCKET", "Pocket Knife", ONE, 4400, 95, Standard, [1200, 80], Goods),
    item("LAMP-CAMP", "Camp Lamp", ONE, 5995, 410, Standard, [1000, 60], Goods),
    item("BAG-TOTE", "Canvas Tote", ONE, 1450, 160, Standard, [6000, 500], Goods),
    item("PACK-20", "Daypack", "20 l", 8900, 780, Standard, [900, 50], Goods),
    item("PACK-35", "Daypack", "35 l", 11900, 1150, Standard, [700, 40], Goods),
    item("BLANKET", "Picnic Blanket", ONE, 4900, 900, Standard, [800, 50], Goods),
    item("CANDLE-PINE", "Pine Candle", ONE, 1650, 320, Standard, [3000, 200], Goods),
    item("BOOK-ALPS", "Alpine Huts (book)", ONE, 2800, 640, Reduced, [2500, 150], Goods),
    item("BOOK-MAPS", "Trail Maps (book)", ONE, 2200, 410, Reduced, [2500, 150], Goods),
    item("COFFEE-500", "Hut Coffee", "500 g", 1100, 520, Reduced, [5000, 300], Goods),
    item("HONEY-250", "Forest Honey", "250 g", 850, 390, Reduced, [5000, 300], Goods),
    item("CHOC-DARK", "Dark Chocolate", ONE, 450, 110, Reduced, [9000, 600], Goods),
    // Kept at the shop's second place only, so that an order can come from two.
    item("PRINT-A2", "Signed Print", "A2", 7500, 450, Standard, [0, 4000], Goods),
    item("FRAME-A2", "Oak Frame", "A2", 8500, 1900, Standard, [0, 4000], Goods),
    item("EBOOK-KNOTS", "Knots (e-book)", ONE, 900, 0, Reduced, [0, 0], Digital),
    item("COURSE-MAP", "Map Reading (online course)", ONE, 4900, 0, Standard, [0, 0], Digital),
    item("GIFT-50", "Gift Card", "50", 5000, 0, TaxClass::None, [0, 0], GiftCard),
];

/// Sold by the store, unknown to every other system: what an ERP does not have.
pub const UNKNOWN_ITEM: Item = item("LIMITED-XMAS-26", "Winter Special", ONE, 3400, 300, Standard, [900, 0], Goods);

/// A place that keeps stock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Short name, for plans and ERP codes.
    pub code: &'static str,
    /// What people call it.
    pub name: &'static str,
    /// Street, city, postal code.
    pub address: [&'static str; 3],
}

/// The shop's places, the one that is asked first at the front. The third of the address is the postal code.
pub const LOCATIONS: &[Place] = &[
    Place { code: "vienna", name: "Warehouse Vienna", address: ["Laxenburger Straße 365", "Wien", "1230"] },
    Place { code: "graz", name: "Studio Graz", address: ["Mariahilferstraße 11", "Graz", "8020"] },
];

/// A tax as the store names it. A title has one rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tax {
    /// As on the order.
    pub title: &'static str,
    /// In hundredths of a per cent: 2000 for 20 %.
    pub basis_points: i64,
}

impl Tax {
    /// As a fraction: 0.2 for 20 %.
    pub fn rate(&self) -> Decimal {
        Decimal::new(self.basis_points, 4).normalize()
    }
}

/// The taxes that the demo's plan has in its table.
pub const TAXES: &[Tax] = &[
    Tax { title: "AT VAT", basis_points: 2000 },
    Tax { title: "AT VAT reduced", basis_points: 1000 },
    Tax { title: "DE VAT", basis_points: 1900 },
    Tax { title: "DE VAT reduced", basis_points: 700 },
    Tax { title: "CA GST", basis_points: 500 },
    Tax { title: "BC PST", basis_points: 700 },
];

/// A tax that the demo's plan does not have in its table.
pub const UNMAPPED_TAX: Tax = Tax { title: "Bottle deposit levy", basis_points: 500 };

/// The tax with a title. Panics if it is not in [`TAXES`]: titles come from this crate.
pub(crate) fn tax(title: &str) -> Tax {
    *TAXES.iter().find(|tax| tax.title == title).expect("a title of the catalogue")
}

/// A way of shipping that the buyer can choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShippingMethod {
    /// What the buyer sees.
    pub title: &'static str,
    /// The service's code.
    pub code: &'static str,
    /// Price without tax, in cents of [`CURRENCY`].
    pub cents: i64,
}

/// The ways of shipping: at home, fast, abroad.
pub const SHIPPING: &[ShippingMethod] = &[
    ShippingMethod { title: "Standard", code: "standard", cents: 500 },
    ShippingMethod { title: "Express", code: "express", cents: 1500 },
    ShippingMethod { title: "International", code: "international", cents: 1800 },
];

/// The ERP's and the plan's code for shipping.
pub const SHIPPING_ITEM: &str = "SHIPPING";

/// Who carries parcels, by the name that the store shows.
pub const CARRIERS: &[&str] = &["DHL Express", "UPS"];

/// An item of the catalogue by its code; [`UNKNOWN_ITEM`] included.
pub fn find(code: &str) -> Option<&'static Item> {
    static UNKNOWN: Item = UNKNOWN_ITEM;
    ITEMS.iter().chain([&UNKNOWN]).find(|item| item.code == code)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use rust_decimal::Decimal;

    use super::{ITEMS, TAXES, TaxClass, UNKNOWN_ITEM, UNMAPPED_TAX, tax};

    #[test]
    fn codes_are_unique() {
        let mut seen = HashSet::new();
        assert!(ITEMS.iter().chain([&UNKNOWN_ITEM]).all(|item| seen.insert(item.code)));
    }

    #[test]
    fn a_title_has_one_rate() {
        let mut seen = HashSet::new();
        assert!(TAXES.iter().chain([&UNMAPPED_TAX]).all(|tax| seen.insert(tax.title)));
        assert_eq!(tax("AT VAT").rate().to_string(), "0.2");
    }

    #[test]
    fn the_austrian_tax_of_one_unit_is_exact_to_the_cent() {
        for item in ITEMS {
            let rate = match item.tax {
                TaxClass::Standard => tax("AT VAT").rate(),
                TaxClass::Reduced => tax("AT VAT reduced").rate(),
                TaxClass::None => Decimal::ZERO,
            };
            let exact = item.price() * rate;
            assert_eq!(exact, exact.round_dp(2), "{}", item.code);
        }
    }
}
