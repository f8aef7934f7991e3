using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Vizsla.Studio.Layout;

/// <summary>Figures as plotly.js takes them, for pages and for the report alike.</summary>
public sealed record Figure(JsonArray Data, JsonObject Layout)
{
    private const int PointsThatShowMarkers = 40;
    private const double RoundingError = 1e-9;

    /// <summary>Lines over one another.</summary>
    /// <param name="lines">Name, color, points; a pale line is drawn thin and has no name in the legend.</param>
    /// <param name="xTitle">What the horizontal axis counts.</param>
    /// <param name="logarithmic">Whether the vertical axis is logarithmic.</param>
    public static Figure Lines(IEnumerable<Line> lines, string xTitle, bool logarithmic = false)
    {
        var data = new JsonArray();
        var all = lines.ToList();
        foreach (var line in all)
        {
            data.Add(new JsonObject
            {
                ["type"] = "scatter",
                ["name"] = line.Name,
                ["mode"] = line.Points.Count == 1 ? "markers" : line.Points.Count <= PointsThatShowMarkers && !line.Pale ? "lines+markers" : "lines",
                ["x"] = Numbers(line.Points.Select(p => p.X)),
                ["y"] = Numbers(line.Points.Select(p => p.Y)),
                ["line"] = new JsonObject { ["color"] = line.Color, ["width"] = line.Pale ? 1 : 2, ["dash"] = line.Dashed ? "dot" : "solid" },
                ["marker"] = new JsonObject { ["size"] = line.Points.Count == 1 ? 9 : 5, ["color"] = line.Color },
                ["opacity"] = line.Pale ? 0.3 : 1,
                ["showlegend"] = !line.Pale,
                ["hoverinfo"] = line.Pale ? "skip" : "all",
            });
        }

        var layout = BaseLayout(xTitle);
        layout["yaxis"]!["type"] = logarithmic ? "log" : "linear";
        layout["hovermode"] = "x unified";
        if (ConstantRange(all.SelectMany(l => l.Points).Select(p => p.Y), logarithmic) is { } range)
        {
            layout["yaxis"]!["range"] = new JsonArray(range.From, range.To);
        }

        return new(data, layout);
    }

    // A constant is drawn as one, in the middle, rather than as its rounding errors or within a range of its own making.
    private static (double From, double To)? ConstantRange(IEnumerable<double> values, bool logarithmic)
    {
        var finite = values.Where(double.IsFinite).ToList();
        if (finite.Count == 0 || finite.Max() - finite.Min() > Math.Abs(finite[0]) * RoundingError)
        {
            return null;
        }

        var value = finite[0];
        var room = value == 0 ? 1 : Math.Abs(value) / 2;
        return !logarithmic ? (value - room, value + room)
            : value > 0 ? (Math.Log10(value) - 0.5, Math.Log10(value) + 0.5)
            : null;
    }

    /// <summary>What is drawn as a table: a line for each point, with the name of its line.</summary>
    public string ToCsv()
    {
        var text = new StringBuilder("series,x,y\n");
        foreach (var line in Data.OfType<JsonObject>().Where(l => (string?)l["hoverinfo"] != "skip"))
        {
            var name = CsvText.Cell((string?)line["name"] ?? "");
            foreach (var (x, y) in ((JsonArray)line["x"]!).Zip((JsonArray)line["y"]!))
            {
                text.Append(name).Append(',').Append(x?.ToJsonString()).Append(',').Append(y?.ToJsonString()).Append('\n');
            }
        }

        return text.ToString();
    }

    /// <summary>Upright bars with a line for comparison, both from 0 to 1.</summary>
    /// <param name="bars">Position, height and what stands beside the pointer.</param>
    /// <param name="xTitle">What the horizontal axis counts.</param>
    /// <param name="yTitle">What the vertical axis counts.</param>
    public static Figure Calibration(IReadOnlyList<(double X, double Y, string Text)> bars, string xTitle, string yTitle)
    {
        var data = new JsonArray(
            new JsonObject
            {
                ["type"] = "bar",
                ["name"] = "observed",
                ["x"] = Numbers(bars.Select(b => b.X)),
                ["y"] = Numbers(bars.Select(b => b.Y)),
                ["text"] = new JsonArray([.. bars.Select(b => (JsonNode)b.Text)]),
                ["textposition"] = "none",
                ["hovertemplate"] = "%{text}<extra></extra>",
                ["marker"] = new JsonObject { ["color"] = Theme.Series[0] },
            },
            new JsonObject
            {
                ["type"] = "scatter",
                ["name"] = "perfect",
                ["mode"] = "lines",
                ["x"] = new JsonArray(0, 1),
                ["y"] = new JsonArray(0, 1),
                ["line"] = new JsonObject { ["color"] = Theme.Series[1], ["dash"] = "dot" },
                ["hoverinfo"] = "skip",
            });
        var layout = BaseLayout(xTitle);
        layout["xaxis"]!["range"] = new JsonArray(0, 1);
        layout["yaxis"]!["range"] = new JsonArray(0, 1);
        layout["yaxis"]!["title"] = new JsonObject { ["text"] = yTitle };
        return new(data, layout);
    }

    /// <summary>Bars lying on their side, one per name, the first on top.</summary>
    /// <param name="bars">Name and length.</param>
    /// <param name="xTitle">What the lengths count.</param>
    public static Figure Counts(IReadOnlyList<(string Name, double Value)> bars, string xTitle)
    {
        var data = new JsonArray(new JsonObject
        {
            ["type"] = "bar",
            ["orientation"] = "h",
            ["x"] = Numbers(bars.Select(b => b.Value)),
            ["y"] = new JsonArray([.. bars.Select(b => (JsonNode)b.Name)]),
            ["marker"] = new JsonObject { ["color"] = Theme.Series[0] },
        });
        var layout = BaseLayout(xTitle);
        layout["yaxis"]!["autorange"] = "reversed";
        layout["yaxis"]!["type"] = "category";
        return new(data, layout);
    }

    /// <summary>The figure as JSON, in the colors of a light or dark page.</summary>
    public string ToJson(bool dark)
    {
        var layout = Layout.DeepClone();
        var (text, grid, surface) = dark ? ("#d6c9c1", "#3b312b", "#211b18") : ("#4d423b", "#ece4de", "#ffffff");
        layout["font"]!["color"] = text;
        layout["hoverlabel"] = new JsonObject { ["bgcolor"] = surface, ["font"] = new JsonObject { ["color"] = text } };
        foreach (var axis in new[] { "xaxis", "yaxis" })
        {
            layout[axis]!["gridcolor"] = grid;
            layout[axis]!["zerolinecolor"] = grid;
            layout[axis]!["linecolor"] = grid;
        }

        return new JsonObject { ["data"] = Data.DeepClone(), ["layout"] = layout }.ToJsonString(new JsonSerializerOptions(JsonSerializerDefaults.Web));
    }

    private static JsonObject BaseLayout(string xTitle) => new()
    {
        ["margin"] = new JsonObject { ["l"] = 56, ["r"] = 14, ["t"] = 8, ["b"] = 44 },
        ["paper_bgcolor"] = "rgba(0,0,0,0)",
        ["plot_bgcolor"] = "rgba(0,0,0,0)",
        ["font"] = new JsonObject { ["family"] = "system-ui, Liberation Sans, sans-serif", ["size"] = 12 },
        ["xaxis"] = new JsonObject { ["title"] = new JsonObject { ["text"] = xTitle }, ["automargin"] = true },
        ["yaxis"] = new JsonObject { ["automargin"] = true, ["exponentformat"] = "e" },
        ["legend"] = new JsonObject { ["orientation"] = "h", ["yanchor"] = "bottom", ["y"] = 1.02, ["x"] = 0 },
        // The same revision keeps a reader's zoom while new points come in.
        ["uirevision"] = "kept",
    };

    private static JsonArray Numbers(IEnumerable<double> values) =>
        new([.. values.Select(v => double.IsFinite(v) ? (JsonNode?)JsonValue.Create(v) : null)]);

    /// <summary>One line of a figure.</summary>
    /// <param name="Name">What the legend says.</param>
    /// <param name="Color">As CSS writes it.</param>
    /// <param name="Points">From left to right.</param>
    /// <param name="Pale">Whether it stands behind another: the unsmoothed values.</param>
    /// <param name="Dashed">Whether it is dotted: the second quantity of one run.</param>
    public sealed record Line(string Name, string Color, IReadOnlyList<(double X, double Y)> Points, bool Pale = false, bool Dashed = false);
}
