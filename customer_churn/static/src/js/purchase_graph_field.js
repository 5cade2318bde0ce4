import { registry } from "@web/core/registry";
import {
    JournalDashboardGraphField,
    journalDashboardGraphField,
} from "@web/views/fields/journal_dashboard_graph/journal_dashboard_graph_field";

/** The dashboard graph reads its data once; in a form the pager brings another customer's. */
export class PurchaseGraphField extends JournalDashboardGraphField {
    renderChart() {
        this.data = JSON.parse(this.props.record.data[this.props.name]);
        super.renderChart();
    }

    getBarChartConfig() {
        const config = super.getBarChartConfig();
        config.options.scales.x.grid.display = false;
        config.options.scales.y.display = true;
        return config;
    }
}

registry.category("fields").add("purchase_graph", {
    ...journalDashboardGraphField,
    component: PurchaseGraphField,
});
