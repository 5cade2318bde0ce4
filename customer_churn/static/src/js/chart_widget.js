import { registry } from "@web/core/registry";
import { KeepLast } from "@web/core/utils/concurrency";
import { useService } from "@web/core/utils/hooks";
import { standardWidgetProps } from "@web/views/widgets/standard_widget_props";

import { Component, onMounted, onWillUpdateProps, useState, xml } from "@odoo/owl";

import { ChurnChart } from "./chart_field";

/**
 * A chart that is asked for when it is shown, and of each record that the pager brings: for what takes too long to be
 * a field, which a form would read before its tab is opened. `method` of the record's model answers the chart's text.
 */
class ChartWidget extends Component {
    static components = { ChurnChart };
    static template = xml`
        <ChurnChart t-if="state.text" text="state.text" title="props.title" data="props.record.data"/>
        <div t-else="" class="o_churn_chart d-flex align-items-center justify-content-center">
            <i class="fa fa-circle-o-notch fa-spin fa-2x text-muted" role="status" t-att-aria-label="props.title"/>
        </div>`;
    static props = { ...standardWidgetProps, method: String, title: { type: String, optional: true } };

    setup() {
        this.orm = useService("orm");
        this.keepLast = new KeepLast();
        this.state = useState({ text: "" });
        onMounted(() => this.load(this.props.record));
        onWillUpdateProps(({ record }) => {
            if (record.resId !== this.resId) {
                this.load(record);
            }
        });
    }

    async load({ resModel, resId }) {
        this.resId = resId;
        this.state.text = "";
        try {
            this.state.text = await this.keepLast.add(this.orm.call(resModel, this.props.method, [[resId]]));
        } catch (error) {
            this.state.text = "{}"; // nothing to show, rather than waiting for ever
            throw error;
        }
    }
}

registry.category("view_widgets").add("churn_chart", {
    component: ChartWidget,
    extractProps: ({ attrs }) => ({ method: attrs.method, title: attrs.title }),
});
