/* Hatches tell neighbouring blocks of one phase apart, and classes of one colour; the colour stays as it is. */
"use strict";

(function (planMap) {
  const STEP = 10;
  const patterns = new Map();

  /* Strokes of each hatch on a square tile, drawn beyond its edges so that tiles join. */
  const strokes = {
    1: [[-STEP, STEP, STEP, -STEP], [0, 2 * STEP, 2 * STEP, 0], [-STEP, 2 * STEP, 2 * STEP, -STEP]],
    2: [[-STEP, 0, STEP, 2 * STEP], [0, -STEP, 2 * STEP, STEP], [-STEP, -STEP, 2 * STEP, 2 * STEP]],
    3: [[0, STEP / 2, STEP, STEP / 2]],
  };

  function isDark(colour) {
    const [r, g, b] = [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16));
    return 0.299 * r + 0.587 * g + 0.114 * b < 128;
  }

  /* A square of a hatch, light on dark fills and dark on light ones. */
  function tileOf(hatch, dark) {
    const tile = document.createElement("canvas");
    tile.width = STEP;
    tile.height = STEP;
    const pen = tile.getContext("2d");
    pen.strokeStyle = dark ? "rgb(255 255 255 / 50%)" : "rgb(60 20 0 / 38%)";
    pen.lineWidth = 1.4;
    pen.beginPath();
    for (const [x0, y0, x1, y1] of strokes[hatch]) {
      pen.moveTo(x0, y0);
      pen.lineTo(x1, y1);
    }
    pen.stroke();
    return tile;
  }

  /* Canvas pattern of a hatch on a fill. */
  function pattern(ctx, hatch, fillColor) {
    const dark = isDark(fillColor);
    const key = `${hatch} ${dark}`;
    if (!patterns.has(key)) patterns.set(key, ctx.createPattern(tileOf(hatch, dark), "repeat"));
    return patterns.get(key);
  }

  /** A hatch on a fill as an image of a style sheet. */
  planMap.hatchImage = (hatch, fillColor) => `url(${tileOf(hatch, isDark(fillColor)).toDataURL()})`;

  const plain = L.Canvas.prototype._fillStroke;

  L.Canvas.include({
    _fillStroke(ctx, layer) {
      plain.call(this, ctx, layer);
      const { fill, fillColor, fillRule, hatch } = layer.options;
      if (!hatch || !fill) return;
      ctx.globalAlpha = layer.options.fillOpacity < 1 ? 0.8 : 1;
      ctx.fillStyle = pattern(ctx, hatch, fillColor);
      ctx.fill(fillRule || "evenodd");
    },
  });

  /** Hatch of a block, 0 = none. */
  planMap.blockHatch = (view, row) => (row === undefined ? 0 : view.blocks.get("hatch", row));

  function hatches(view) {
    const { parcels, blockRow } = view;
    return parcels.rows().map((row) => {
      const block = parcels.get("block_id", row);
      return block === null ? 0 : planMap.blockHatch(view, blockRow.get(block));
    });
  }

  /** Hatch of a parcel: that of its block, where the colouring says nothing of a parcel's own figures. */
  planMap.parcelHatch = function (view, row) {
    if (!view.colourings[view.colouring].hatched) return 0;
    view.hatches = view.hatches || hatches(view);
    return view.hatches[row];
  };
})(window.planMap);
