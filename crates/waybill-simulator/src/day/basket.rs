//! What people buy: lines, taxes, discounts and shipping whose amounts every system computes alike.
//!
//! A store rounds the tax of each line half up; an ERP may round half to even, and once per tax over the whole order
//! instead of once per line (Tryton's `tax_rounding`). Orders are built so that all four ways come to the same cent,
//! as a day without tax differences does; half of the German ones still need rounding. Orders that are edited later are
//! exact for each unit, so that any part of a line has an exact tax too.

use rust_decimal::{Decimal, RoundingStrategy};

use super::people::{Market, presentment};
use crate::{
    catalogue::{ITEMS, Item, ItemKind, SHIPPING, ShippingMethod, TaxClass, tax},
    shopify::{DiscountKind, DiscountValue, NewDiscount, NewLine, NewOrder, NewShipping, Rate},
};

/// What is wanted of a basket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Wish {
    /// Any part of any line must have an exact tax, and a line can lose a unit.
    pub(crate) editable: bool,
    /// A gift card or something digital is in it too.
    pub(crate) with_digital: bool,
    /// Nothing in it is sent in a parcel.
    pub(crate) only_digital: bool,
    /// An item that is kept at the shop's second place is in it too.
    pub(crate) two_places: bool,
}

/// A line before its price is shown to the buyer.
#[derive(Debug, Clone)]
struct Picked {
    item: &'static Item,
    quantity: i64,
    /// Off the price of one, without tax.
    off: Decimal,
}

/// The taxes of a class in a market.
pub(crate) fn rates(market: Market, class: TaxClass) -> Vec<Rate> {
    let titles: &[&str] = match (market, class) {
        (_, TaxClass::None) | (Market::Export(_), _) => &[],
        (Market::Austria, TaxClass::Standard) => &["AT VAT"],
        (Market::Austria, TaxClass::Reduced) => &["AT VAT reduced"],
        (Market::Germany, TaxClass::Standard) => &["DE VAT"],
        (Market::Germany, TaxClass::Reduced) => &["DE VAT reduced"],
        (Market::BritishColumbia, TaxClass::Standard) => &["CA GST", "BC PST"],
        (Market::BritishColumbia, TaxClass::Reduced) => &["CA GST"],
    };
    titles.iter().map(|title| ((*title).to_owned(), tax(title).rate())).collect()
}

fn in_cents(amount: Decimal) -> bool {
    amount == amount.round_dp(2)
}

/// Whether one unit's net price, discount and taxes are exact to the cent.
fn unit_is_exact(market: Market, picked: &Picked) -> bool {
    let net = picked.item.price() - picked.off;
    in_cents(picked.off) && rates(market, picked.item.tax).iter().all(|(_, rate)| in_cents(net * rate))
}

/// Whether all ways of rounding come to the same taxes.
fn rounds_alike(market: Market, picked: &[Picked], shipping: Decimal) -> bool {
    let up = |amount: Decimal| amount.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero);
    let even = |amount: Decimal| amount.round_dp(2);
    let shipping = rates(market, TaxClass::Standard).into_iter().map(|rate| (rate, shipping));
    let lines = picked.iter().flat_map(|one| {
        let net = (one.item.price() - one.off) * Decimal::from(one.quantity);
        rates(market, one.item.tax).into_iter().map(move |rate| (rate, net))
    });
    let mut sums: Vec<(String, Decimal, Decimal, Decimal)> = Vec::new();
    for ((title, rate), net) in lines.chain(shipping) {
        let amount = net * rate;
        match sums.iter_mut().find(|sum| sum.0 == title) {
            Some(sum) => {
                sum.1 += amount;
                sum.2 += up(amount);
                sum.3 += even(amount);
            }
            None => sums.push((title, amount, up(amount), even(amount))),
        }
    }
    sums.iter().all(|(_, exact, by_line, by_line_even)| {
        up(*exact) == *by_line && even(*exact) == *by_line && by_line == by_line_even
    })
}

fn shipping_method(market: Market, rng: &mut fastrand::Rng) -> &'static ShippingMethod {
    match market {
        Market::Austria | Market::Germany if rng.u32(..5) == 0 => &SHIPPING[1],
        Market::Austria | Market::Germany => &SHIPPING[0],
        Market::BritishColumbia | Market::Export(_) => &SHIPPING[2],
    }
}

/// Whether every way of showing the item's price and tax in this market is exact.
fn suits(market: Market, item: &'static Item, editable: bool) -> bool {
    // Prices that contain tax must be exact, and so must all that may be edited.
    let strict = editable || market != Market::Germany;
    !strict || unit_is_exact(market, &Picked { item, quantity: 1, off: Decimal::ZERO })
}

fn pick(market: Market, wish: Wish, rng: &mut fastrand::Rng) -> Vec<Picked> {
    let (places, kinds): (_, Vec<ItemKind>) = if wish.only_digital {
        (1, vec![ItemKind::Digital, ItemKind::GiftCard])
    } else {
        (rng.usize(1..=4).max(if wish.editable { 2 } else { 1 }), vec![ItemKind::Goods])
    };
    let goods: Vec<&'static Item> = ITEMS
        .iter()
        .filter(|item| kinds.contains(&item.kind) && suits(market, item, wish.editable))
        .filter(|item| item.kind != ItemKind::Goods || item.stock[0] > 0)
        .collect();
    let mut picked: Vec<Picked> = Vec::new();
    while picked.len() < places {
        let item = goods[rng.usize(..goods.len())];
        if picked.iter().any(|one| one.item.code == item.code) {
            continue;
        }
        let quantity = match rng.u32(..100) {
            0..68 => 1,
            68..88 => 2,
            88..97 => 3,
            _ => 10,
        };
        picked.push(Picked { item, quantity, off: Decimal::ZERO });
    }
    if wish.editable {
        picked[0].quantity = picked[0].quantity.max(2);
    }
    let mut add = |code: &str| {
        if let Some(item) = crate::catalogue::find(code).filter(|item| suits(market, item, wish.editable)) {
            picked.push(Picked { item, quantity: 1, off: Decimal::ZERO });
        }
    };
    if wish.with_digital {
        add(["EBOOK-KNOTS", "COURSE-MAP", "GIFT-50"][rng.usize(..3)]);
    }
    if wish.two_places {
        add(["PRINT-A2", "FRAME-A2"][rng.usize(..2)]);
    }
    picked
}

/// A discount: who gives it, what it is worth, whether over all lines. What it takes off each unit is put into `picked`.
fn discount(
    market: Market,
    picked: &mut [Picked],
    wish: Wish,
    rng: &mut fastrand::Rng,
) -> Option<(DiscountKind, &'static str, DiscountValue, bool)> {
    let ten_percent = Decimal::new(1, 1);
    let before = picked.to_vec();
    let (kind, name, value, across) = match rng.u32(..4) {
        0 => (DiscountKind::Code, "WALD10", DiscountValue::Percentage(Decimal::TEN), true),
        1 => (DiscountKind::Automatic, "Autumn sale", DiscountValue::Percentage(Decimal::TEN), false),
        2 => (DiscountKind::Code, "HELLO5", DiscountValue::Fixed(Decimal::from(5)), false),
        _ => (DiscountKind::Manual, "Regular guest", DiscountValue::Fixed(Decimal::from(2)), true),
    };
    for (at, one) in picked.iter_mut().enumerate() {
        let on_this = at == 0 || across;
        if !on_this || one.item.kind == ItemKind::GiftCard {
            continue;
        }
        one.off = match value {
            DiscountValue::Percentage(_) => one.item.price() * ten_percent,
            // A fixed amount on one line, or so much on each unit when it is shared out.
            DiscountValue::Fixed(amount) if across => amount,
            DiscountValue::Fixed(amount) => amount / Decimal::from(one.quantity),
        };
    }
    // A gift card alone is never discounted.
    let sane = picked.iter().any(|one| !one.off.is_zero())
        && picked.iter().all(|one| in_cents(one.off) && one.off < one.item.price());
    let strict = wish.editable || market != Market::Germany;
    if !sane || (strict && !picked.iter().all(|one| unit_is_exact(market, one))) {
        picked.clone_from_slice(&before);
        return None;
    }
    let value = match value {
        // What was shared out is what the discount is worth.
        DiscountValue::Fixed(_) if across => {
            DiscountValue::Fixed(picked.iter().map(|one| one.off * Decimal::from(one.quantity)).sum())
        }
        value => value,
    };
    Some((kind, name, value, across))
}

/// How the buyer sees a net amount of a class: with tax where prices contain it.
fn shown(market: Market, class: TaxClass, net: Decimal) -> Decimal {
    if market == Market::Austria {
        let all: Decimal = rates(market, class).iter().map(|(_, rate)| *rate).sum();
        (net * (Decimal::ONE + all)).normalize()
    } else {
        net
    }
}

/// An item as a line of an order in a market.
pub(crate) fn line(market: Market, item: &Item, quantity: i64) -> NewLine {
    NewLine {
        sku: Some(item.code.into()),
        title: item.product.into(),
        quantity,
        price: shown(market, item.tax, item.price()),
        taxes: rates(market, item.tax),
        duty: Decimal::ZERO,
    }
}

/// An item that can be added by an edit.
pub(crate) fn addition(market: Market, rng: &mut fastrand::Rng) -> NewLine {
    let goods: Vec<&'static Item> = ITEMS
        .iter()
        .filter(|item| item.kind == ItemKind::Goods && item.stock[0] > 0 && suits(market, item, true))
        .collect();
    line(market, goods[rng.usize(..goods.len())], 1)
}

/// An order of goods in a market, without buyer and payment.
pub(crate) fn fill(market: Market, wish: Wish, rng: &mut fastrand::Rng) -> NewOrder {
    loop {
        let mut picked = pick(market, wish, rng);
        let given = (rng.u32(..100) < 20).then(|| discount(market, &mut picked, wish, rng)).flatten();
        let parcel = picked.iter().any(|one| one.item.kind == ItemKind::Goods);
        let method = parcel.then(|| shipping_method(market, rng));
        let free = method.is_some() && given.is_none() && rng.u32(..100) < 6;
        let price = method.map_or(Decimal::ZERO, |method| Decimal::new(method.cents, 2));
        let charged = if free { Decimal::ZERO } else { price };
        if !rounds_alike(market, &picked, charged) {
            continue;
        }
        let mut discounts = Vec::new();
        if let Some((kind, name, value, across)) = given {
            let each = |(at, one): (usize, &Picked)| {
                let off = shown(market, one.item.tax, one.off) * Decimal::from(one.quantity);
                (!off.is_zero()).then_some((at, off))
            };
            let lines: Vec<(usize, Decimal)> = picked.iter().enumerate().filter_map(each).collect();
            let value = match value {
                DiscountValue::Fixed(_) => DiscountValue::Fixed(lines.iter().map(|(_, off)| *off).sum()),
                value => value,
            };
            // Shared out over one line only, it is still shared out: the store tells so by the number of lines.
            let lines = if across || lines.len() == 1 { lines } else { vec![lines[0]] };
            discounts.push(NewDiscount { kind, name: name.into(), value, lines, shipping: Decimal::ZERO });
        }
        let shipping = method.map(|method| NewShipping {
            title: method.title.into(),
            code: method.code.into(),
            price: shown(market, TaxClass::Standard, price),
            taxes: rates(market, TaxClass::Standard),
        });
        if free {
            discounts.push(NewDiscount {
                kind: DiscountKind::Code,
                name: "SHIPFREE".into(),
                value: DiscountValue::Percentage(Decimal::ONE_HUNDRED),
                lines: Vec::new(),
                shipping: shown(market, TaxClass::Standard, price),
            });
        }
        return NewOrder {
            lines: picked.iter().map(|one| line(market, one.item, one.quantity)).collect(),
            shipping: shipping.into_iter().collect(),
            discounts,
            presentment: presentment(market),
            taxes_included: market == Market::Austria,
            ..NewOrder::default()
        };
    }
}

#[cfg(test)]
mod tests {
    use rust_decimal::Decimal;

    use super::{Wish, fill};

    #[test]
    fn every_basket_of_a_long_day_has_amounts_in_cents() {
        let mut rng = fastrand::Rng::with_seed(11);
        for round in 0..3000 {
            let market = super::super::people::market(&mut rng);
            let wish = Wish {
                editable: round % 3 == 0,
                with_digital: round % 5 == 0,
                two_places: round % 7 == 0,
                only_digital: round % 11 == 0,
            };
            let order = fill(market, wish, &mut rng);
            let amounts = order.lines.iter().map(|line| line.price).chain(
                order
                    .discounts
                    .iter()
                    .flat_map(|one| one.lines.iter().map(|(_, off)| *off))
                    .chain(order.shipping.iter().map(|line| line.price)),
            );
            for amount in amounts {
                assert_eq!(amount, amount.round_dp(2), "{market:?}");
                assert!(amount > Decimal::ZERO);
            }
        }
    }
}
