import { registry } from "@web/core/registry";
import { stepUtils } from "@web_tour/tour_utils";

const tab = (name) => ({
    content: `open the tab ${name}`,
    trigger: `.o_notebook .nav-link[name=${name}]`,
    run: "click",
});

const theGraphShows = (total) => ({
    content: `the graph adds up to ${total}`,
    trigger: ".o_field_widget[name=purchase_graph] canvas",
    run: ({ anchor }) => {
        const shown = window.Chart.getChart(anchor).data.datasets[0].data;
        if (shown.reduce((sum, value) => sum + value, 0) !== total) {
            throw new Error(`The graph shows ${shown}, not ${total} in all`);
        }
    },
});

const thePictureShows = (money) => ({
    content: `the chances of the past are drawn, and three purchases of ${money}`,
    trigger: ".tab-pane.active .o_churn_chart canvas[aria-label^='Chance over Time']",
    run: ({ anchor }) => {
        const [chances, purchases] = window.Chart.getChart(anchor).data.datasets;
        const shown = purchases.data.filter(({ label }) => label.includes(money));
        if (!chances.data.length || shown.length !== 3) {
            throw new Error(`Drawn: ${chances.data.length} chances, ${JSON.stringify(purchases.data)}`);
        }
    },
});

registry.category("web_tour.tours").add("customer_churn_profile", {
    steps: () => [
        stepUtils.showAppsMenuItem(),
        {
            content: "open the app",
            trigger: '.o_app[data-menu-xmlid="customer_churn.customer_churn_menu_root"]',
            run: "click",
        },
        {
            content: "the customer at risk is first, with a reason, a day and the money",
            trigger: '.o_data_row:first:contains("Anna"):contains("At Risk"):contains("silent for"):contains("Dormant on")',
        },
        {
            content: "nobody else's customer is here",
            trigger: '.o_list_view:not(:contains("Bert"))',
        },
        { content: "open the file", trigger: '.o_data_cell[name=partner_id]:contains("Anna")', run: "click" },
        {
            content: "read the explanation",
            trigger: '.o_form_view .alert-warning:visible:contains("silent for"):contains("Turns dormant on")',
        },
        { content: "the badge", trigger: '.o_form_view .oe_title .badge.text-bg-warning:contains("At Risk")' },
        tab("facts"),
        { content: "contacts", trigger: '.o_field_widget[name=contact_ids]:contains("Buyer")' },
        tab("transactions"),
        theGraphShows(300),
        { content: "the purchases", trigger: ".o_field_widget[name=purchase_ids] .o_data_row" },
        tab("chance"),
        thePictureShows("100.00"),
        tab("communication"),
        { content: "what was said", trigger: '.o_field_widget[name=message_ids]:contains("Price list?")' },
        tab("history"),
        { content: "the change", trigger: '.o_field_widget[name=happening_ids] .o_data_cell:contains("At Risk")' },
        tab("money"),
        { content: "the ageing", trigger: '.o_field_widget[name=overdue_older_amount]:contains("300.00")' },
        tab("transactions"),
        { content: "the next customer", trigger: ".o_pager_next", run: "click" },
        { content: "who is Cleo", trigger: '.o_form_view .oe_title:contains("Cleo")' },
        theGraphShows(21),
        tab("chance"),
        thePictureShows("7.00"),
        { content: "back to Anna", trigger: ".o_pager_previous", run: "click" },
        { content: "who is Anna", trigger: '.o_form_view .oe_title:contains("Anna")' },
        thePictureShows("100.00"),
        { content: "open the contact", trigger: "button[name=action_open_partner]:visible:first", run: "click" },
        {
            content: "the contact says when the customer bought, and its status; it leads back",
            trigger: 'button[name=action_open_churn_profile]:contains("Last purchase"):contains("At Risk")',
            run: "click",
        },
        { content: "the file again", trigger: '.o_form_view .alert-warning:visible:contains("silent for")' },
        {
            content: "schedule an activity",
            trigger: ".o_statusbar_buttons button[name=action_schedule_activity]",
            run: "click",
        },
        { content: "the wizard", trigger: ".modal .o_field_widget[name=activity_type_id]" },
    ],
});
