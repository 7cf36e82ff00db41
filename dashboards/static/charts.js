// Draws the charts that the server described in data-chart: labels, lines, blind steps, flags, links.
// Tooltips are drawn on the canvas: as HTML they would write style attributes, which the policy refuses.
"use strict";
(() => {
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const text = () => ({ color: css("--muted"), fontSize: 12, fontFamily: "inherit" });

  const hatch = () => {
    const tile = document.createElement("canvas");
    tile.width = tile.height = 8;
    const pen = tile.getContext("2d");
    pen.strokeStyle = css("--muted");
    pen.globalAlpha = 0.55;
    pen.lineWidth = 1.2;
    for (const shift of [-8, 0, 8]) {
      pen.beginPath();
      pen.moveTo(shift, 8);
      pen.lineTo(shift + 8, 0);
      pen.stroke();
    }
    return { image: tile, repeat: "repeat" };
  };

  // Steps that nothing could see: hatched bars over the whole height on axes of their own. A
  // markArea would snap to the labels that happen to be shown, and lose a short gap.
  const blind = (chart) => {
    const middle = new Set(chart.blind.map(([first, last]) => (first + last) >> 1));
    const seen = (n) => !chart.blind.some(([first, last]) => first <= n && n <= last);
    return {
      name: chart.words.blind, type: "bar", xAxisIndex: 1, yAxisIndex: 1, barWidth: "100%",
      silent: true, z: 0, itemStyle: { color: hatch() },
      data: chart.labels.map((_, n) => (seen(n) ? "-" : {
        value: 1,
        label: {
          show: middle.has(n), position: "insideTop", formatter: () => chart.words.blind,
          color: css("--muted"), fontSize: 12, backgroundColor: css("--card"), padding: [2, 4],
        },
      })),
    };
  };

  const flags = (chart) => ({
    silent: true,
    symbol: "none",
    lineStyle: { type: "dashed", width: 1 },
    data: chart.marks.map((mark) => ({
      xAxis: mark.at,
      lineStyle: { color: css(`--${mark.level}`) },
      label: {
        formatter: () => mark.label.slice(0, 18), color: css(`--${mark.level}`), fontSize: 12,
        position: "end", align: mark.at > chart.labels.length / 2 ? "right" : "left",
      },
    })),
  });

  // The last step is not over: drawn pale, or it would look like a fall.
  const values = (chart, line) => line.map((value, n) => (
    chart.open_end && n === line.length - 1
      ? { value, itemStyle: { opacity: 0.35 } } : value
  ));

  const stack = (chart) => ["negative", "neutral", "positive"].map((name, n) => ({
    name: chart.words[name], type: "bar", stack: "all", barCategoryGap: "18%",
    itemStyle: { color: css(`--${name}`), opacity: [0.85, 0.45, 0.6][n] },
    data: values(chart, chart.lines[name]),
    ...(n === 0 ? { markLine: flags(chart) } : {}),
  }));

  const band = (chart) => {
    const { low, high, negative_voices: voices } = chart.lines;
    const plain = { type: "line", symbol: "none", stack: "band", silent: true, lineStyle: { opacity: 0 } };
    const height = high.map((top, n) => (top === null ? null : top - low[n]));
    return [
      { ...plain, name: "low", data: low },
      { ...plain, name: chart.words.band, data: height, itemStyle: { color: css("--accent") }, areaStyle: { color: css("--accent"), opacity: 0.14 } },
      {
        name: chart.words.negative_voices, type: "line", data: voices, symbol: "circle", symbolSize: 5,
        connectNulls: false, lineStyle: { color: css("--negative"), width: 2 },
        itemStyle: { color: css("--negative") },
      },
    ];
  };

  const tip = (chart) => (rows) => {
    const n = rows[0].dataIndex;
    const shown = Object.entries(chart.lines).map(([name, line]) => {
      const value = line[n];
      return `${chart.words[name]}  ${value === null ? "—" : value.toLocaleString("en-US")}`;
    });
    const open = chart.open_end && n === chart.labels.length - 1 ? `（${chart.words.open}）` : "";
    return [chart.labels[n] + open, ...shown].join("\n");
  };

  const option = (chart) => ({
    animation: false,
    aria: { enabled: true, decal: { show: false } },
    textStyle: { fontFamily: getComputedStyle(document.body).fontFamily },
    grid: { left: 44, right: 16, top: 28, bottom: 52 },
    legend: {
      bottom: 0, left: 0, itemWidth: 10, itemHeight: 10, itemGap: 16, selectedMode: false, textStyle: text(),
      data: chart.kind === "stack"
        ? ["negative", "neutral", "positive"].map((name) => chart.words[name])
        : [chart.words.negative_voices, chart.words.band],
    },
    tooltip: {
      trigger: "axis", renderMode: "richText", confine: true, formatter: tip(chart),
      backgroundColor: css("--card"), borderColor: css("--line"),
      textStyle: { color: css("--ink"), fontSize: 12 }, axisPointer: { type: "shadow" },
    },
    xAxis: [{
      type: "category", data: chart.labels, axisLabel: { ...text(), hideOverlap: true },
      axisLine: { lineStyle: { color: css("--line") } }, axisTick: { show: false },
    }, { type: "category", data: chart.labels, show: false, axisPointer: { show: false } }],
    yAxis: [{
      type: "value", minInterval: 1, axisLabel: text(),
      splitLine: { lineStyle: { color: css("--line") } },
    }, { type: "value", show: false, min: 0, max: 1 }],
    series: [...(chart.kind === "stack" ? stack(chart) : band(chart)), blind(chart)],
  });

  const draw = (box) => {
    const chart = JSON.parse(box.dataset.chart);
    const plot = echarts.init(box, null, { renderer: "canvas" });
    plot.setOption(option(chart));
    // A click anywhere in a step opens its posts.
    plot.getZr().on("click", (event) => {
      const [n] = plot.convertFromPixel({ seriesIndex: 0 }, [event.offsetX, event.offsetY]);
      if (plot.containPixel("grid", [event.offsetX, event.offsetY]) && chart.urls[n]) {
        window.location.assign(chart.urls[n]);
      }
    });
    const size = new ResizeObserver(() => (box.isConnected ? plot.resize() : leave()));
    const scheme = window.matchMedia("(prefers-color-scheme: dark)");
    const repaint = () => plot.setOption(option(chart), true);
    const leave = () => {
      size.disconnect();
      scheme.removeEventListener("change", repaint);
      plot.dispose();
    };
    size.observe(box);
    scheme.addEventListener("change", repaint);
    box.dataset.ready = "1";
  };

  const all = () => document.querySelectorAll(".plot:not([data-ready])").forEach(draw);
  document.addEventListener("keqing:refreshed", all);
  all();
})();
