import { registry } from "@web/core/registry";

const press = (name) => ({
    content: `press ${name}`,
    trigger: `.o_statusbar_buttons button[name=${name}]:visible`,
    run: "click",
});

/** A salesperson's morning: from the list to the activity done and the reason recorded. */
registry.category("web_tour.tours").add("customer_churn_morning", {
    steps: () => [
        {
            content: "the dearest customer at risk",
            trigger: '.o_data_row .o_data_cell[name=partner_id]:contains("Anna")',
            run: "click",
        },
        press("action_open_case"),
        { content: "what is planned for today", trigger: '.o-mail-Activity:contains("Call")' },
        {
            content: "it is done",
            trigger: '.o-mail-Activity:contains("Call") .o-mail-Activity-markDone',
            run: "click",
        },
        {
            content: "what came of it",
            trigger: ".o-mail-ActivityMarkAsDone textarea",
            run: "edit They want a better price",
        },
        { content: "done", trigger: ".o-mail-ActivityMarkAsDone button[aria-label=Done]", run: "click" },
        { content: "it is told", trigger: '.o-mail-Message:contains("They want a better price")' },
        press("action_record_reason"),
        {
            content: "needs not met",
            trigger: '.modal .o_field_widget[name=root_id] .o_selection_badge:contains("Needs Not Met")',
            run: "click",
        },
        {
            content: "the price",
            trigger: '.modal .o_field_widget[name=detail_id] .o_selection_badge:contains("Price")',
            run: "click",
        },
        { content: "record it", trigger: ".modal button[name=action_apply]", run: "click" },
        {
            content: "the reason stands on the case",
            trigger: ".o_form_view .o_field_widget[name=reason_id] input:value(Price)",
        },
    ],
});

/** A manager's care plan from nothing to who would be treated tonight. */
registry.category("web_tour.tours").add("customer_churn_care_plan", {
    steps: () => [
        { content: "a new plan", trigger: ".o_list_button_add", run: "click" },
        { content: "its name", trigger: ".o_field_widget[name=name] input", run: "edit Call whom we miss" },
        {
            content: "its activities",
            trigger: ".o_field_widget[name=activity_plan_id] input",
            run: "edit First aid",
        },
        {
            content: "these",
            trigger: '.o-autocomplete--dropdown-item:contains("First aid"):first',
            run: "click",
        },
        {
            content: "leave a fifth alone",
            trigger: ".o_field_widget[name=control_share] input",
            run: "edit 20",
        },
        { content: "save", trigger: ".o_form_button_save", run: "click" },
        { content: "it is saved", trigger: ".o_form_saved, .o_form_button_save:not(:visible)" },
        press("action_preview"),
        { content: "who would be treated", trigger: '.o_data_row:contains("Anna")' },
        { content: "it says whom it shows", trigger: '.o_breadcrumb:contains("Call whom we miss: tonight 1")' },
    ],
});

/** One reason for thirty customers. */
registry.category("web_tour.tours").add("customer_churn_mass_reason", {
    steps: () => [
        { content: "all of the list", trigger: ".o_list_view thead .o_list_record_selector input", run: "click" },
        { content: "thirty", trigger: '.o_selection_box:contains("30")' },
        { content: "actions", trigger: ".o_cp_action_menus button:contains(Actions)", run: "click" },
        {
            content: "record the reason",
            trigger: '.o-dropdown--menu .o_menu_item:contains("Record Reason")',
            run: "click",
        },
        {
            content: "the customers' own distress",
            trigger: '.modal .o_field_widget[name=root_id] .o_selection_badge:contains("Distress")',
            run: "click",
        },
        { content: "record it", trigger: ".modal button[name=action_apply]", run: "click" },
        { content: "the notice leads to the way back", trigger: '.o_notification a[href*="/odoo/reason-answers/"]' },
    ],
});
