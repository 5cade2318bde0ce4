{
    "name": "Customer Retention",
    "summary": "Notice the customers that go silent, and why, while there is time to act",
    "version": "19.0.1.0.0",
    "category": "Sales/CRM",
    "author": "customer_churn contributors",
    "license": "LGPL-3",
    "depends": ["account"],
    "external_dependencies": {"python": ["numpy", "pandas", "scipy"]},
    "data": [],
    "application": True,
}
