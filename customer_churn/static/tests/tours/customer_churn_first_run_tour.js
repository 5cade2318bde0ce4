import { rpc } from "@web/core/network/rpc";
import { registry } from "@web/core/registry";
import { stepUtils } from "@web_tour/tour_utils";

const call = (model, method, args) => rpc(`/web/dataset/call_kw/${model}/${method}`, { model, method, args, kwargs: {} });

registry.category("web_tour.tours").add("customer_churn_first_run", {
    steps: () => [
        stepUtils.showAppsMenuItem(),
        {
            content: "The app opens on the first steps",
            trigger: ".o_app[data-menu-xmlid='customer_churn.customer_churn_menu_root']",
            run: "click",
        },
        {
            content: "What there is to analyse is said before",
            trigger: ".alert:contains('Posted customer invoices of Purveyor: 4')",
        },
        {
            trigger: ".o_kanban_record:contains('Analyse the Ledger') button:contains('Analyse Now')",
            run: "click",
        },
        {
            content: "It waits for the scheduled action, which a test has to start: nobody else does",
            trigger: ".alert:contains('Waiting for the scheduled action')",
            async run() {
                const [, cron] = await call("ir.model.data", "check_object_reference", [
                    "customer_churn",
                    "ir_cron_customer_churn_run",
                ]);
                await call("ir.cron", "method_direct_trigger", [[cron]]);
            },
        },
        {
            content: "The page is read again by itself, with the figures",
            trigger: ".alert-success:contains('Customers with a status: 2')",
        },
        {
            content: "The step has ticked itself",
            trigger: ".o_kanban_record:contains('Analyse the Ledger') button:contains('Analysed')",
        },
        {
            trigger: ".o_kanban_record:contains('Look at the Limits') button",
            run: "click",
        },
        {
            content: "The policy says how many customers each status gets",
            trigger: ".o_form_view:contains('With these limits')",
        },
        {
            trigger: ".o_back_button, .breadcrumb-item a",
            run: "click",
        },
        {
            trigger: ".o_kanban_record:contains('Choose Who Gets the Customers') button",
            run: "click",
        },
        {
            trigger: ".modal .o_field_widget[name='unassigned_count']:contains('2')",
        },
        {
            trigger: ".modal .o_radio_item:contains('Only managers') input",
            run: "click",
        },
        {
            trigger: ".modal button[name='action_apply']",
            run: "click",
        },
        {
            content: "What is left, the accounts for bad debt, is for whoever keeps the books",
            trigger: "body:not(:has(.modal)) .o_form_view .o_kanban_record:contains('Bad Debt')",
        },
        {
            trigger: "[data-menu-xmlid='customer_churn.customer_churn_profile_menu']",
            run: "click",
        },
        {
            trigger: ".o_list_view .o_data_row:contains('Anna')",
        },
    ],
});
