import { loadBundle } from "@web/core/assets";
import { cookie } from "@web/core/browser/cookie";
import { getColor, getCustomColor, hexToRGBA } from "@web/core/colors/colors";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { formatFloat, formatMonetary, formatPercentage } from "@web/views/fields/formatters";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

import { Component, onWillStart, useEffect, useRef, xml } from "@odoo/owl";

const { DateTime } = luxon;
const scheme = cookie.get("color_scheme");
const TEXT = getCustomColor(scheme, "#111827", "#E4E4E4");
const GRID = getCustomColor(scheme, "#d8dadd", "#3C3E4B");
const PLACES = { info: 0, danger: 1, success: 2, warning: 3, primary: 4 }; // in the palette of six
export const toneColor = (tone) =>
    tone in PLACES ? getColor(PLACES[tone], scheme, "sm") : getColor(18, scheme, "lg");

/**
 * A chart of a text that is strict JSON:
 *
 *   type      "line", "bar" or "scatter"
 *   labels    the places on the x axis, then `data` is a number or null for each of them;
 *             without labels `data` is points: [{"x": "2026-01-31", "y": 0.4, "label": "said of it"}, ...]
 *   datasets  [{label, data,
 *               type     another one than the chart's,
 *               tone     primary, muted, success, danger, warning or info; or a list, one for each place,
 *               dots     nothing but dots,
 *               dashed   a dashed line without dots,
 *               stacked  on top of the other stacked ones}]
 *   x, y      {title, format: "percent", "money" (of the record's currency_id), "number" or "date", max}
 *   legend    whether the labels of the datasets are shown
 *   empty     what is said where there is nothing to draw, unless it is the usual sentence
 */
export class ChurnChart extends Component {
    static template = xml`
        <p t-if="isEmpty" class="text-muted fst-italic mb-0" t-out="emptyText"/>
        <div t-else="" class="o_churn_chart"><canvas t-ref="canvas" role="img" t-att-aria-label="ariaLabel"/></div>`;
    static props = { text: [String, Boolean], title: { type: String, optional: true }, data: Object };

    setup() {
        this.canvasRef = useRef("canvas");
        onWillStart(() => loadBundle("web.chartjs_lib"));
        useEffect(
            (canvas) => {
                const chart = canvas && new Chart(canvas, this.getConfig());
                return () => chart?.destroy();
            },
            () => [this.canvasRef.el, this.props.text]
        );
    }

    get spec() {
        return JSON.parse(this.props.text || "{}");
    }

    get isEmpty() {
        return !(this.spec.datasets || []).some(({ data }) => data.some((value) => value !== null));
    }

    get emptyText() {
        return this.spec.empty || _t("There is nothing to show yet.");
    }

    get ariaLabel() {
        const names = this.spec.datasets.map(({ label }) => label);
        return [this.props.title, ...names].filter(Boolean).join(", ");
    }

    getConfig() {
        const { type, labels, datasets, x = {}, y = {}, legend = false } = this.spec;
        const stacked = datasets.some((dataset) => dataset.stacked);
        return {
            type,
            data: { labels, datasets: datasets.map((dataset, place) => this.getDataset(dataset, place)) },
            options: {
                animation: false,
                maintainAspectRatio: false,
                interaction: { mode: labels ? "index" : "nearest", intersect: false },
                plugins: {
                    legend: {
                        display: legend,
                        position: "bottom",
                        labels: { color: TEXT, usePointStyle: true, boxHeight: 8 },
                    },
                    tooltip: { callbacks: this.getTooltip(labels, x, y) },
                },
                scales: {
                    x: { ...this.getAxis(x), stacked, grid: { display: !labels, color: GRID } },
                    y: { ...this.getAxis(y), stacked, beginAtZero: true, grid: { color: GRID } },
                },
            },
        };
    }

    getDataset({ label, data, type, tone = "primary", dots, dashed, stacked }, place) {
        type = type || this.spec.type;
        const color = Array.isArray(tone) ? tone.map(toneColor) : toneColor(tone);
        const hidden = dashed || (type === "line" && !dots && data.length > 60);
        return {
            label,
            data,
            type,
            borderColor: color,
            backgroundColor: color,
            borderWidth: type === "bar" ? 0 : 2,
            borderDash: dashed ? [6, 4] : [],
            showLine: !dots && (type === "line" || Boolean(dashed)),
            pointRadius: hidden ? 0 : dots || type === "scatter" ? 4 : 2,
            pointHoverRadius: hidden ? 0 : 5,
            stack: stacked ? "stacked" : `alone ${place}`,
            ...(stacked && type === "line" && { fill: "stack", backgroundColor: hexToRGBA(color, 0.4) }),
        };
    }

    getAxis({ title, format, max }) {
        const axis = {
            max,
            title: { display: Boolean(title), text: title, color: TEXT },
            ticks: { color: TEXT, maxRotation: 45 },
            border: { color: GRID },
        };
        if (format === "date") {
            return { ...axis, type: "time", time: { minUnit: "day" } };
        }
        if (format) {
            axis.ticks.callback = (value) => this.format(value, format);
        }
        return axis;
    }

    getTooltip(labels, x, y) {
        const label = ({ dataset, raw, parsed }) =>
            `${dataset.label}: ${raw?.label ?? this.format(parsed.y, y.format)}`;
        const title = ([item]) => item && this.format(item.parsed.x, x.format);
        return labels ? { label } : { label, title };
    }

    format(value, format) {
        if (format === "date") {
            return DateTime.fromMillis(value).toLocaleString(DateTime.DATE_MED);
        }
        if (format === "percent") {
            return formatPercentage(value, { digits: [16, 0] });
        }
        if (format === "money") {
            return formatMonetary(value, { data: this.props.data, digits: [16, 0] });
        }
        return formatFloat(value, { digits: [16, 2], trailingZeros: false });
    }
}

/** The chart of a text or char field. */
class ChartField extends Component {
    static components = { ChurnChart };
    static template = xml`<ChurnChart text="props.record.data[props.name]" title="title" data="props.record.data"/>`;
    static props = standardFieldProps;

    get title() {
        return this.props.record.fields[this.props.name].string;
    }
}

registry.category("fields").add("churn_chart", { component: ChartField, supportedTypes: ["text", "char"] });
