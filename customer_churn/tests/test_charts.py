"""Real charts of accounts, in the database that `./dev test` builds with them."""

from odoo.tests import TransactionCase, tagged

from ..models.res_company_bad_debt import NEEDED, TYPES

COUNTRIES = {"cn": "CN", "cn_large_bis": "CN", "de_skr03": "DE", "de_skr04": "DE", "fr": "FR", "za": "ZA", "mx": "MX"}
KEYS = ("expense", "impairment", "allowance", "recovery", "stale_credit", "small_difference")


class ChartsCommon(TransactionCase):
    @classmethod
    def _create_company(cls, chart):
        """A company with this chart, in which the user works from now on."""
        country = cls.env.ref(f"base.{COUNTRIES[chart].lower()}")
        company = cls.env["res.company"].create({"name": f"Chart {chart}", "country_id": country.id})
        cls.env.user.company_ids |= company
        cls.env["account.chart.template"].try_loading(chart, company=company, install_demo=False)
        return company.with_context(allowed_company_ids=company.ids)

    def _codes(self, company):
        return {key: company[f"bad_debt_{key}_account_id"].with_company(company).code for key in KEYS}


@tagged("post_install", "-at_install", "-standard", "customer_churn_companions")
class TestChartProposals(ChartsCommon):
    def assertProposed(self, chart, created=(), **codes):
        """These accounts of the chart, new ones for what it lacks, and settings that every entry can be booked by."""
        company = self._create_company(chart)
        self.assertEqual(company.chart_template, chart)
        own = self.env["account.account"].with_company(company).search(
            self.env["account.account"]._check_company_domain(company))
        found = company._find_bad_debt_settings()
        self.assertNotIn("bad_debt_journal_id", found, "looking creates nothing")
        company._propose_bad_debt_settings()
        self.assertEqual({key: code for key, code in self._codes(company).items() if key in codes}, codes)
        new = {key for key in KEYS if company[f"bad_debt_{key}_account_id"] not in own}
        self.assertEqual(new, set(created))
        self.assertTrue(company._is_bad_debt_complete())
        for name in TYPES:
            self.assertFalse(company._get_bad_debt_fault(name, company[name]), name)
        for kind in NEEDED:
            company._check_bad_debt_settings(kind)
        self.assertEqual(company.bad_debt_journal_id.code, "BDWO")
        return company

    def test_china_small_companies(self):
        self.assertProposed(
            "cn", expense="571101", recovery="530100", stale_credit="530100",
            created=["allowance", "impairment"])

    def test_china_large_companies_charge_and_recover_on_credit_impairment(self):
        company = self.assertProposed(
            "cn_large_bis", expense="672100", impairment="672100", allowance="123100", recovery="672100",
            stale_credit="630100", small_difference="671101")
        self.assertTrue(company.account_storno)

    def test_germany_skr03(self):
        self.assertProposed(
            "de_skr03", expense="2400", impairment="2451", allowance="0998", recovery="2732", stale_credit="2709")

    def test_germany_skr04(self):
        self.assertProposed(
            "de_skr04", expense="6930", impairment="6923", allowance="1246", recovery="4925", stale_credit="4839")

    def test_france_gets_an_allowance_beside_the_reconciled_one(self):
        company = self.assertProposed(
            "fr", created=["allowance"], expense="654100", impairment="681740", allowance="491901", recovery="758300",
            stale_credit="758000")
        self.assertFalse(company.bad_debt_allowance_account_id.reconcile)

    def test_south_africa_claims_by_the_tax_of_its_chart(self):
        company = self.assertProposed(
            "za", expense="610360", impairment="610360", allowance="200050", recovery="510010", stale_credit="510010")
        chart = self.env["account.chart.template"].with_company(company)
        relief = self.env["customer.bad.debt.tax.relief"].search([("company_id", "=", company.id)])
        self.assertEqual(relief.tax_id, chart.ref("ST1"))
        self.assertEqual(relief.relief_tax_id, chart.ref("PT17"))
        self.assertEqual(company.bad_debt_tax_relief, "input_claim")

    def test_mexico_gets_an_allowance_beside_the_reconciled_one(self):
        company = self.assertProposed(
            "mx", created=["allowance", "expense", "impairment", "recovery"], allowance="108.01.02")
        self.assertTrue(company.tax_exigibility, "a chart of cash-basis taxes")
