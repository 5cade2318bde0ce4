import { registry } from "@web/core/registry";

const press = (name) => ({
    content: `press ${name}`,
    trigger: `.o_statusbar_buttons button[name=${name}]`,
    run: "click",
});
const inDialog = (name) => ({ content: `${name} in the dialog`, trigger: `.modal button[name=${name}]`, run: "click" });
const says = (field, text) => ({
    content: `${field} says ${text}`,
    trigger: `.o_form_view .o_field_widget[name=${field}]:contains("${text}")`,
});
const state = (text) => ({
    content: `it is ${text}`,
    trigger: `.o_form_view .o_field_widget[name=state] .o_arrow_button_current:contains("${text}")`,
});
const writeOff = [
    { content: "open the menu", trigger: ".o_cp_action_menus button.dropdown-toggle", run: "click" },
    { content: "write off", trigger: ".o-dropdown-item:contains(Write Off)", run: "click" },
];

registry.category("web_tour.tours").add("customer_bad_debt_one_invoice", {
    steps: () => [
        ...writeOff,
        {
            content: "the entry is shown before anything is booked",
            trigger: ".modal .o_field_widget[name=entry_preview]:contains(Hits the result):contains(1,000.00)",
        },
        { content: "write off half", trigger: ".modal .o_data_cell[name=amount_currency]", run: "click" },
        {
            content: "575 of 1150",
            trigger: ".modal .o_data_row [name=amount_currency] input",
            run: "edit 575 && click .modal .o_horizontal_separator",
        },
        {
            content: "the entry follows",
            trigger: ".modal .o_field_widget[name=entry_preview]:contains(Hits the result):contains(500.00):contains(75.00)",
        },
        inDialog("action_write_off"),
        state("Posted"),
        says("amount_expense", "500.00"),
        { content: "its invoices", trigger: "button[name=action_open_invoices]", run: "click" },
        { content: "not paid, but written off", trigger: ".o_form_view .ribbon:contains(Partly Written Off)" },
        { content: "back to the document", trigger: "button[name=action_open_writeoffs]", run: "click" },
        press("action_recover"),
        {
            content: "115 came after all",
            trigger: ".modal .o_field_widget[name=amount] input",
            run: "edit 115",
        },
        inDialog("action_apply"),
        state("Partially Recovered"),
        says("amount_recovered", "115.00"),
        press("action_undo"),
        { content: "yes", trigger: ".modal .modal-footer .btn-primary", run: "click" },
        state("Undone"),
        says("amount_undone", "460.00"),
    ],
});

registry.category("web_tour.tours").add("customer_bad_debt_ten_invoices", {
    steps: () => [
        ...writeOff,
        { content: "all ten", trigger: ".modal .o_list_renderer:has(.o_data_row:nth-child(10))" },
        {
            content: "the sum hits the result",
            trigger: ".modal .o_field_widget[name=entry_preview]:contains(Hits the result):contains(5,500.00)",
        },
        inDialog("action_ask"),
        state("To Approve"),
        says("requested_by_id", "bad_debt_asks"),
    ],
});

registry.category("web_tour.tours").add("customer_bad_debt_approval", {
    steps: () => [
        {
            content: "what waits for me",
            trigger: ".o_data_row:contains(To Approve) .o_data_cell[name=partner_id]",
            run: "click",
        },
        { content: "the entry", trigger: ".o_notebook .nav-link[name=entry]", run: "click" },
        { content: "as it will be", trigger: ".o_field_widget[name=entry_preview]:contains(5,500.00)" },
        press("action_approve"),
        state("Approved"),
        press("action_post"),
        state("Posted"),
        says("approved_by_id", "bad_debt_decides"),
        { content: "as it is", trigger: ".o_field_widget[name=move_line_ids] .o_data_row:contains(5,500.00)" },
    ],
});

const tab = (name) => ({ content: `look at ${name}`, trigger: `.o_notebook .nav-link[name=${name}]`, run: "click" });
const openBatch = {
    content: "open the batch",
    trigger: ".o_data_row .o_data_cell[name=name]",
    run: "click",
};

registry.category("web_tour.tours").add("customer_bad_debt_batch", {
    steps: () => [
        { content: "a new batch", trigger: ".o_list_button_add", run: "click" },
        says("customer_count", "4"),
        {
            content: "who owes 500 and more",
            trigger: ".o_field_widget[name=amount_min] input",
            run: "edit 500 && press Tab",
        },
        says("customer_count", "3"),
        says("amount_found", "3,300.00"),
        press("action_prepare"),
        state("Prepared"),
        tab("skipped"),
        { content: "why one is left out", trigger: ".o_field_widget[name=skipped_ids]:contains(disputed)" },
        tab("writeoffs"),
        { content: "two are prepared", trigger: ".o_field_widget[name=writeoff_ids] .o_data_row:nth-child(2)" },
        press("action_post"),
        { content: "yes", trigger: ".modal .modal-footer .btn-primary", run: "click" },
        state("Posting"),
        { content: "how far it is", trigger: ".alert:contains(0 of 2 booked) .o_progressbar" },
    ],
});

registry.category("web_tour.tours").add("customer_bad_debt_batch_failed", {
    steps: () => [
        openBatch,
        state("Failed"),
        { content: "one was not booked", trigger: '.alert:contains("Not booked: 1")' },
        { content: "why", trigger: ".o_field_widget[name=failed_ids] .o_data_row:contains(nothing to write off)" },
        {
            content: "work on that one",
            trigger: ".o_field_widget[name=failed_ids] .o_list_record_open_form_view button",
            run: "click",
        },
        { content: "its reason", trigger: ".o_form_view .alert:contains(nothing to write off)" },
        press("action_cancel"),
        state("Cancelled"),
        { content: "back to the batch", trigger: ".breadcrumb .o_back_button a", run: "click" },
        state("Done"),
    ],
});
