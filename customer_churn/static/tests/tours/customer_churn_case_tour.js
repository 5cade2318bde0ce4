import { registry } from "@web/core/registry";

const press = (name, text) => ({
    content: `press ${name} ${text}`,
    trigger: `.o_statusbar_buttons button[name=${name}]:contains("${text}")`,
    run: "click",
});

const choose = (field, text) => ({
    content: `choose ${text}`,
    trigger: `.modal .o_field_widget[name=${field}] .o_selection_badge:contains("${text}")`,
    run: "click",
});

registry.category("web_tour.tours").add("customer_churn_case", {
    steps: () => [
        {
            content: "open the customer at risk",
            trigger: '.o_data_row:contains("At Risk") .o_data_cell[name=partner_id]:contains("Anna")',
            run: "click",
        },
        press("action_open_case", "Open a Case"),
        {
            content: "the case says why and is open",
            trigger: '.o_form_view .alert-warning:visible:contains("silent for")',
        },
        { content: "it is mine", trigger: ".o_field_widget[name=user_id]:contains(churn_seller)" },
        press("action_record_reason", "Record Reason"),
        choose("root_id", "A Competitor Was Better"),
        choose("root_id", "Needs Not Met"),
        choose("detail_id", "Poor Service"),
        {
            content: "what the customer said",
            trigger: ".modal .o_field_widget[name=note] textarea",
            run: "edit Nobody called back",
        },
        { content: "record it", trigger: ".modal button[name=action_apply]", run: "click" },
        {
            content: "the notice leads to the way back",
            trigger: '.o_notification a[href*="/odoo/reason-answers/"]',
        },
        {
            content: "the reason stands on the case",
            trigger: ".o_form_view .o_field_widget[name=reason_id] input:value(Poor Service)",
        },
        press("action_close_as", "Lost"),
        {
            content: "what was said need not be said again",
            trigger: ".modal .o_field_widget[name=detail_id] .o_selection_badge.active:contains(Poor Service)",
        },
        { content: "close it", trigger: ".modal button[name=action_apply]", run: "click" },
        { content: "it is lost", trigger: ".o_form_view .ribbon:contains(Lost)" },
        { content: "it may be reopened", trigger: ".o_statusbar_buttons button[name=action_reopen]" },
        { content: "back to the customer", trigger: "button[name=action_open_profile]:visible:first", run: "click" },
        {
            content: "the reason stands there too, and another case may be opened",
            trigger: '.o_form_view .oe_title .o_field_widget[name=reason_id]:contains("Poor Service")',
        },
        { content: "open one", trigger: '.o_statusbar_buttons button:contains("Open a Case")' },
    ],
});
