#!/usr/bin/env python3
"""Makes a Tryton database that can sell, and serves it.

Needs the packages trytond, trytond_sale, trytond_stock, trytond_account, trytond_party, trytond_product and
trytond_account_invoice_stock, so it is run by the Python of the virtual environment that has them.

    bootstrap.py make SETUP.json PATH/NAME.sqlite    fills the database; what is there already stays
    bootstrap.py serve PATH/NAME.sqlite PORT         serves it on 127.0.0.1 until it is stopped

SETUP.json:

    {
      "company": "Example Store", "currency": "EUR",
      "user": {"login": "waybill", "password": "…"},
      "items": [{"code": "TEE-M", "name": "T-shirt M", "price": "20.00", "stock": 100},
                {"code": "SHIPPING", "name": "Shipping", "price": "5.00", "type": "service"}],
      "taxes": [{"name": "VAT 19 %", "rate": "0.19"}],
      "tax_rounding": "line",
      "locations": [{"code": "WH", "name": "Warehouse"}],
      "countries": [{"code": "US", "name": "United States",
                     "subdivisions": [{"code": "US-CA", "name": "California", "type": "state"}]}]
    }

`tax_rounding` is Tryton's own setting: `line` rounds each line's tax as Shopify does, `document` (Tryton's default)
rounds their sum. A location is a warehouse. An item's `stock` is a number (at the first location) or a number per location's code.
The login `admin`, an administrator, has the same password as the user.
"""
import datetime as dt
import json
import os
import sys
from decimal import Decimal
from pathlib import Path

MODULES = ['ir', 'res', 'sale', 'stock', 'account_invoice_stock']
SELLER_GROUPS = [
    ('sale', 'group_sale'), ('sale', 'group_sale_admin'), ('party', 'group_party_admin'), ('stock', 'group_stock'),
    ('product', 'group_product_admin')]


def configure(database, port=None):
    """Points trytond at the database's folder. It reads its environment when it is first imported."""
    os.environ |= {
        'TRYTOND_DATABASE__URI': 'sqlite://',
        'TRYTOND_DATABASE__PATH': str(database.parent),
        'TRYTOND_SESSION__AUTHENTICATIONS': 'password',
        'TRYTOND_WEB__ROOT': '',
        }
    os.environ.pop('TRYTOND_CONFIG', None)
    if port:
        os.environ['TRYTOND_WEB__LISTEN'] = f'127.0.0.1:{port}'


class Setup:
    """Fills one database in one transaction."""

    def __init__(self, pool, wanted):
        self.pool = pool
        self.wanted = wanted

    def found_or_made(self, model, domain, **values):
        """The record that the domain finds, or a new one of these values; and whether it is new."""
        Model = self.pool.get(model)
        records = Model.search(domain, limit=1)
        if records:
            return records[0], False
        record = Model(**values)
        record.save()
        return record, True

    def run_wizard(self, name, *states):
        """Runs a wizard through its states, each with the values of its form."""
        Wizard = self.pool.get(name, type='wizard')
        session, _, _ = Wizard.create()
        data = {}
        for state, form, values in states:
            data[form] = values
            Wizard.execute(session, data, state)
        Wizard.delete(session)

    def data_id(self, module, name):
        return self.pool.get('ir.model.data').get_id(module, name)

    def money(self):
        code = self.wanted['currency']
        exponent = {'JPY': 0, 'KRW': 0, 'CLP': 0, 'KWD': 3, 'BHD': 3}.get(code, 2)
        currency, new = self.found_or_made('currency.currency', [('code', '=', code)],
            name=code, code=code, digits=exponent, rounding=Decimal(1).scaleb(-exponent))
        if new:
            Rate = self.pool.get('currency.currency.rate')
            Rate.create([{'date': dt.date.min, 'rate': Decimal(1), 'currency': currency.id}])
        return currency

    def countries(self):
        for wanted in self.wanted.get('countries', []):
            country, _ = self.found_or_made('country.country', [('code', '=', wanted['code'])],
                code=wanted['code'], name=wanted['name'])
            for part in wanted.get('subdivisions', []):
                self.found_or_made('country.subdivision', [('code', '=', part['code'])],
                    code=part['code'], name=part['name'], type=part['type'], country=country)

    def company(self, currency):
        name = self.wanted['company']
        Company = self.pool.get('company.company')
        companies = Company.search([('party.name', '=', name)], limit=1)
        if companies:
            company, = companies
        else:
            Party = self.pool.get('party.party')
            party, = Party.create([{'name': name, 'addresses': [('create', [{}])]}])
            company = Company(party=party, currency=currency)
            company.save()
        return company

    def accounts(self, company):
        Account = self.pool.get('account.account')
        mine = ('company', '=', company.id)
        if not Account.search([mine], limit=1):
            root = self.data_id('account', 'account_template_root_en')
            chart = {'company': company.id, 'account_template': root}
            self.run_wizard('account.create_chart',
                ('create_account', 'account', chart))
            found = self.found_accounts(company)
            self.run_wizard('account.create_chart', ('create_properties', 'properties', {
                        'company': company.id,
                        'account_receivable': found['receivable'].id,
                        'account_payable': found['payable'].id,
                        'category_account_revenue': found['revenue'].id,
                        'category_account_expense': found['expense'].id}))
        return self.found_accounts(company)

    def found_accounts(self, company):
        Account = self.pool.get('account.account')
        mine = [('company', '=', company.id), ('closed', '!=', True)]
        found = {}
        for kind in ['receivable', 'payable', 'revenue', 'expense']:
            found[kind], = Account.search([*mine, (f'type.{kind}', '=', True)], limit=1)
        found['tax'], = Account.search([*mine, ('code', '=', '6.3.6')], limit=1)
        return found

    def fiscal_years(self, company):
        """This year and its neighbours: a sale is invoiced on the day it is processed."""
        FiscalYear = self.pool.get('account.fiscalyear')
        this_year = dt.date.today().year
        for year in range(this_year - 1, this_year + 2):
            if FiscalYear.search([('name', '=', str(year)), ('company', '=', company.id)], limit=1):
                continue
            fiscal_year = FiscalYear(name=str(year), company=company,
                start_date=dt.date(year, 1, 1), end_date=dt.date(year, 12, 31),
                move_sequence=self.strict_sequence('account', 'sequence_type_account_move', year, company))
            invoices = self.strict_sequence('account_invoice', 'sequence_type_account_invoice', year, company)
            InvoiceSequence = self.pool.get('account.fiscalyear.invoice_sequence')
            fiscal_year.invoice_sequences = [InvoiceSequence(
                    company=company,
                    in_invoice_sequence=invoices, in_credit_note_sequence=invoices,
                    out_invoice_sequence=invoices, out_credit_note_sequence=invoices)]
            fiscal_year.save()
            FiscalYear.create_period([fiscal_year])

    def strict_sequence(self, module, kind, year, company):
        Sequence = self.pool.get('ir.sequence.strict')
        sequence = Sequence(name=str(year), sequence_type=self.data_id(module, kind), company=company)
        sequence.save()
        return sequence

    def taxes(self, company, account):
        for wanted in self.wanted.get('taxes', []):
            self.found_or_made('account.tax', [('name', '=', wanted['name']), ('company', '=', company.id)],
                name=wanted['name'], description=wanted['name'], type='percentage', company=company,
                rate=Decimal(wanted['rate']), invoice_account=account, credit_note_account=account)

    def tax_rounding(self, company):
        rounding = self.wanted.get('tax_rounding')
        if rounding:
            Configuration = self.pool.get('account.configuration')
            configuration = Configuration(1)
            configuration.tax_rounding = rounding
            configuration.save()

    def warehouses(self):
        Location = self.pool.get('stock.location')
        found = {}
        for wanted in self.wanted['locations']:
            code = wanted['code']
            warehouses = Location.search([('type', '=', 'warehouse'), ('code', '=', code)], limit=1)
            if not warehouses:
                parts = {}
                for part, kind in [('input', 'storage'), ('output', 'storage'), ('storage', 'storage')]:
                    location = Location(name=f'{wanted["name"]} {part}', code=f'{code}-{part}', type=kind)
                    location.save()
                    parts[f'{part}_location'] = location
                lost_found, = Location.search([('type', '=', 'lost_found')], limit=1)
                warehouse = Location(
                    name=wanted['name'], code=code, type='warehouse', lost_found_location=lost_found, **parts)
                warehouse.save()
                warehouses = [warehouse]
            found[code], = warehouses
        return found

    def products(self, accounts):
        Product = self.pool.get('product.product')
        category, _ = self.found_or_made('product.category', [('name', '=', 'Sold in the store')],
            name='Sold in the store', accounting=True,
            account_revenue=accounts['revenue'], account_expense=accounts['expense'])
        unit = self.data_id('product', 'uom_unit')
        wanted = {item['code']: item for item in self.wanted['items']}
        there = {product.code for product in Product.search([('code', 'in', list(wanted))])}
        self.pool.get('product.template').create([{
                    'name': item['name'], 'type': item.get('type', 'goods'), 'default_uom': unit, 'salable': True,
                    'sale_uom': unit, 'list_price': Decimal(item['price']), 'account_category': category.id,
                    'products': [('create', [{'suffix_code': code}])],
                    } for code, item in wanted.items() if code not in there])
        return {code: item for code, item in wanted.items() if code not in there}

    def stock(self, company, warehouses, new_items):
        """An inventory per location, for the items that are new: what was there may have been sold since."""
        Product = self.pool.get('product.product')
        Inventory = self.pool.get('stock.inventory')
        first = self.wanted['locations'][0]['code']
        counted = {}
        for code, item in new_items.items():
            stock = item.get('stock', 0)
            for location, quantity in (stock.items() if isinstance(stock, dict) else [(first, stock)]):
                if quantity:
                    counted.setdefault(location, {})[code] = quantity
        for location, quantities in counted.items():
            products = {p.code: p.id for p in Product.search([('code', 'in', list(quantities))])}
            inventory, = Inventory.create([{
                        'company': company.id, 'location': warehouses[location].storage_location.id,
                        'lines': [('create', [{'product': products[code], 'quantity': float(quantity)}
                                    for code, quantity in quantities.items()])],
                        }])
            Inventory.confirm([inventory])

    def users(self, company, warehouse):
        User = self.pool.get('res.user')
        login, password = self.wanted['user']['login'], self.wanted['user']['password']
        admin, _ = self.found_or_made('res.user', [('login', '=', 'admin')],
            name='Administrator', login='admin', administrator=True, password=password)
        seller, new = self.found_or_made('res.user', [('login', '=', login)],
            name=login, login=login, password=password)
        if new:
            groups = [self.data_id(module, name) for module, name in SELLER_GROUPS]
            User.write([seller], {'groups': [('add', groups)]})
        for user in [admin, seller]:
            user.companies = [company]
            user.company = company
            user.warehouse = warehouse
        User.save([admin, seller])

    def run(self):
        from trytond.transaction import Transaction
        currency = self.money()
        self.countries()
        company = self.company(currency)
        with Transaction().set_context(company=company.id):
            self.run_company(company)

    def run_company(self, company):
        accounts = self.accounts(company)
        self.fiscal_years(company)
        self.taxes(company, accounts['tax'])
        self.tax_rounding(company)
        warehouses = self.warehouses()
        self.stock(company, warehouses, self.products(accounts))
        self.users(company, next(iter(warehouses.values())))


def make(setup, database):
    wanted = json.loads(setup.read_text())
    database.parent.mkdir(parents=True, exist_ok=True)
    database.touch()
    configure(database)
    from trytond import backend
    from trytond.pool import Pool
    from trytond.transaction import Transaction, TransactionError
    server = backend.Database(database.stem)
    server.connect()
    pool = Pool(database.stem)
    if server.test():
        pool.init()
    else:
        server.init()
        pool.init(update=MODULES, lang=['en'], activatedeps=True)
    extras = {}
    while True:
        with Transaction().start(database.stem, 0, **extras) as transaction:
            try:
                Setup(pool, wanted).run()
                transaction.commit()
                return
            except TransactionError as error:
                # It asks for a table to be locked from the start.
                transaction.rollback()
                error.fix(extras)


def serve(database, port):
    configure(database, port)
    from trytond.cli import main
    sys.argv = ['trytond', '-d', database.stem]
    main()


if __name__ == '__main__':
    match sys.argv[1:]:
        case ['make', setup, database]:
            make(Path(setup), Path(database).absolute())
        case ['serve', database, port]:
            serve(Path(database).absolute(), int(port))
        case _:
            sys.exit(__doc__)
