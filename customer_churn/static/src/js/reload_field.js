import { registry } from "@web/core/registry";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

import { Component, onMounted, onWillUnmount, status, xml } from "@odoo/owl";

const PAUSE = 2000;

/**
 * A spinner that reads its record again every two seconds, for as long as it is shown: the view says with
 * `invisible` when that ends. Why we need it: Odoo's views never read a record again by themselves, and
 * a job in the background must be seen to move. It works for a form and for the rows of a list, and beside any
 * field that moves, like a progress bar.
 */
class ReloadField extends Component {
    static template = xml`<i class="fa fa-circle-o-notch fa-spin" role="img" aria-hidden="true"/>`;
    static props = standardFieldProps;

    setup() {
        onMounted(() => this.wait());
        onWillUnmount(() => clearTimeout(this.timer));
    }

    wait() {
        this.timer = setTimeout(() => this.reload(), PAUSE);
    }

    async reload() {
        const { record } = this.props;
        try {
            // nobody looks at a hidden page, sample data do not move, and what somebody types is not to be lost
            if (!document.hidden && !record.model.useSampleModel && !(await record.isDirty())) {
                await record.load();
            }
        } finally {
            if (status(this) !== "destroyed") {
                this.wait();
            }
        }
    }
}

registry.category("fields").add("customer_churn_reload", { component: ReloadField });
