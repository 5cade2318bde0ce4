"""Where the charts of accounts of Odoo keep bad debt: external ids of their templates, and nothing that is guessed.

A value that starts with + is no account of the chart but the code from which a new one is numbered, because the
chart's own account is reconciled or of a type that the books must not use.
"""

CHARTS = {
    "ae": {"impairment": "uae_account_400068"},
    "au": {"allowance": "au_11210"},
    "cl": {"recovery": "account_320250"},
    "cn": {
        "expense": "l10n_cn_account_571101", "recovery": "l10n_cn_account_5301",
        "stale_credit": "l10n_cn_account_5301"},
    "cn_large_bis": {
        "expense": "l10n_cn_large_bis_account_6721", "impairment": "l10n_cn_large_bis_account_6721",
        "allowance": "l10n_cn_large_bis_account_1231", "recovery": "l10n_cn_large_bis_account_6721",
        "stale_credit": "l10n_cn_large_bis_account_6301", "small_difference": "l10n_cn_large_bis_account_671101"},
    "cy": {"expense": "cy_8100", "impairment": "cy_8102"},
    "de_skr03": {
        "expense": "account_2400", "impairment": "account_2451", "allowance": "account_0998",
        "recovery": "account_2732", "stale_credit": "account_2709"},
    "de_skr04": {
        "expense": "chart_skr04_6930", "impairment": "chart_skr04_6923", "allowance": "chart_skr04_1246",
        "recovery": "chart_skr04_4925", "stale_credit": "chart_skr04_4839"},
    "do": {"expense": "l10n_do_61080300", "allowance": "l10n_do_11040100", "recovery": "l10n_do_42040200"},
    "dz": {"expense": "l10n_dz_654"},
    "ec": {"allowance": "ec110210"},
    "ee": {"expense": "l10n_ee_682"},
    "eg": {"expense": "egy_account_400074", "impairment": "egy_account_400068"},
    "es_assec": {"expense": "account_assoc_655"},
    "es_coop_pymes": {"expense": "account_coop_650"},
    "es_full": {"expense": "account_full_650"},
    "es_pymes": {"expense": "account_pymes_650"},
    "fr": {
        "expense": "pcg_6541", "impairment": "pcg_68174", "allowance": "+491900",
        "recovery": "pcg_7583", "stale_credit": "pcg_758"},
    "generic_coa": {"stale_credit": "other_income"},
    "hk": {"expense": "l10n_hk_5226"},
    "hr": {"expense": "hr_481000"},
    "hu": {"expense": "l10n_hu_8691", "recovery": "l10n_hu_9633"},
    "il": {"expense": "il_account_220800"},
    "it": {"allowance": "+1540"},
    "jp": {"allowance": "l10n_jp_123300", "impairment": "l10n_jp_510300"},
    "ke": {"expense": "ke5136", "allowance": "ke2105"},
    "kh": {"expense": "l10n_kh_account_61300"},
    "kr": {"expense": "l10n_kr_610012"},
    "lb": {"expense": "lb_account_661200", "impairment": "lb_account_655410"},
    "ma": {"expense": "pcg_6182"},
    "mn": {"expense": "account_template_7403_0101"},
    "mt": {"expense": "mt_6601", "impairment": "mt_6382", "recovery": "mt_5311"},
    "mx": {"allowance": "+108.01.01"},
    "my": {"expense": "l10n_my_5226"},
    "nl": {"expense": "4550", "allowance": "1160"},
    "no": {"expense": "chart7830", "impairment": "chart7830", "recovery": "chart7820"},
    "nz": {"allowance": "nz_11210"},
    "pa": {"recovery": "422"},
    "pe": {"impairment": "chart68711", "recovery": "chart7551"},
    "pk": {"expense": "l10n_pk_4221014"},
    "pt": {"expense": "chart_683"},
    "sa": {"impairment": "sa_account_400068"},
    "sg": {"expense": "account_account_825", "allowance": "account_account_696"},
    "syscohada": {"allowance": "pcg_4912"},
    "th": {"allowance": "l10n_th_account_112190"},
    "tn": {"expense": "l10n_tn_6341"},
    "tr": {"allowance": "tr129"},
    "tw": {"allowance": "l10n_tw_account_1158"},
    "ua_psbo": {"expense": "ua_psbp_944"},
    "uk": {"expense": "785000", "impairment": "785000", "allowance": "215000"},
    "uy": {"allowance": "uy_code_11311"},
    "za": {
        "expense": "610360", "impairment": "610360", "allowance": "200050",
        "recovery": "510010", "stale_credit": "510010"},
    "zm": {"expense": "zm_account_3150000", "recovery": "zm_account_2850000"},
}

# what the account may be called in a chart that is not listed, and the type of a new one
WORDS = {
    "expense": ("bad debt", "uncollectible", "irrecoverable", "坏账损失"),
    "impairment": ("provision for doubtful", "impairment of receivable", "impairment of trade receivable", "信用减值"),
    "allowance": ("allowance for doubtful", "allowance for bad debt", "provision for doubtful", "坏账准备"),
    "recovery": ("bad debts recovered", "bad debt recover", "recovery of bad debt", "recovery of uncollectible"),
    "stale_credit": ("unclaimed", "other income"),
    "small_difference": ("rounding difference", "cash difference loss"),
}
NEW_TYPE = {
    "expense": "expense", "impairment": "expense", "allowance": "asset_current", "recovery": "income_other",
    "stale_credit": "income_other", "small_difference": "expense",
}

# charts that have a tax for bad debt: the regime, and which tax gives which sales tax back
RELIEF_TAXES = {"za": ("input_claim", {"ST1": "PT17"})}
