import { registry } from "@web/core/registry";
import { GraphRenderer } from "@web/views/graph/graph_renderer";
import { graphView } from "@web/views/graph/graph_view";

import { toneColor } from "@customer_churn/js/chart_field";

const TONES = { new: "info", active: "success", at_risk: "warning", dormant: "primary", lost: "muted" };

/** A graph by status in the colours of the statuses: by their places, active would be red and at risk green. */
class StatusGraphRenderer extends GraphRenderer {
    getBarChartData() {
        return this.paint(super.getBarChartData());
    }

    getLineChartData() {
        return this.paint(super.getLineChartData());
    }

    paint(data) {
        const tones = this.tones;
        for (const dataset of data.datasets.filter(({ label }) => label in tones)) {
            const color = toneColor(tones[dataset.label]);
            Object.assign(dataset, { backgroundColor: color, borderColor: color, pointBackgroundColor: color });
        }
        return data;
    }

    /** The tone of each status, by its name in the reader's language. */
    get tones() {
        const selections = Object.values(this.model.metaData.fields).map(({ selection }) => selection || []);
        const statuses = selections.find((pairs) => pairs.some(([code]) => code === "at_risk")) || [];
        return Object.fromEntries(statuses.map(([code, label]) => [label, TONES[code]]));
    }
}

registry.category("views").add("churn_status_graph", { ...graphView, Renderer: StatusGraphRenderer });
