using MudBlazor;

namespace Vizsla.Studio.Layout;

/// <summary>Colors of a vizsla: russet on warm white, and by night.</summary>
internal static class Theme
{
    private const string Sans = "system-ui";

    /// <summary>The palette and fonts of every page; no font is loaded.</summary>
    public static MudTheme Value { get; } = new()
    {
        PaletteLight = new PaletteLight
        {
            Primary = "#9a3f12",
            PrimaryContrastText = "#ffffff",
            Secondary = "#2f6f6a",
            Tertiary = "#7a5c00",
            Info = "#1f5fa8",
            Success = "#2c6e35",
            Warning = "#8a5300",
            Error = "#b3261e",
            Background = "#faf7f4",
            Surface = "#ffffff",
            AppbarBackground = "#ffffff",
            AppbarText = "#2a211c",
            TextPrimary = "#2a211c",
            TextSecondary = "#62554d",
            ActionDefault = "#62554d",
            Divider = "#e6ddd6",
            LinesDefault = "#e6ddd6",
            LinesInputs = "#9a8b80",
            TableLines = "#eee7e1",
        },
        PaletteDark = new PaletteDark
        {
            Primary = "#f0a47a",
            PrimaryContrastText = "#2a1408",
            Secondary = "#7fc8c0",
            Tertiary = "#e3c16a",
            Info = "#8fbdf2",
            Success = "#8fd19a",
            Warning = "#f2b866",
            Error = "#f5a29b",
            Background = "#161210",
            Surface = "#211b18",
            AppbarBackground = "#211b18",
            AppbarText = "#f3ebe6",
            TextPrimary = "#f3ebe6",
            TextSecondary = "#bfb0a6",
            ActionDefault = "#bfb0a6",
            Divider = "#3b312b",
            LinesDefault = "#3b312b",
            LinesInputs = "#8d7d73",
            TableLines = "#312823",
        },
        LayoutProperties = new LayoutProperties { DefaultBorderRadius = "10px" },
        Typography = new Typography
        {
            Default = new DefaultTypography { FontFamily = [Sans, "-apple-system", "Segoe UI", "Roboto", "Liberation Sans", "sans-serif"], FontSize = ".95rem" },
            Button = new ButtonTypography { TextTransform = "none", FontWeight = "600", LetterSpacing = "0" },
        },
    };

    /// <summary>Colors of series, told apart by the color-blind too; good on both backgrounds.</summary>
    public static IReadOnlyList<string> Series { get; } = ["#d1622b", "#2b8a9e", "#8f6bd1", "#4f9a3a", "#c9528b", "#b58a12", "#5c7fd6", "#8a6d5a", "#d84848", "#1e9b84", "#b556c4", "#7c9427", "#d9861a", "#4a94d8", "#a0566f", "#6f7f94"];

    /// <summary>The variables that studio.css uses, for a page without the component library.</summary>
    public static string Variables(bool dark)
    {
        Palette palette = dark ? Value.PaletteDark : Value.PaletteLight;
        (string Name, string Color)[] colors =
        [
            ("primary", palette.Primary.ToString()), ("primary-text", palette.PrimaryContrastText.ToString()), ("background", palette.Background.ToString()),
            ("surface", palette.Surface.ToString()), ("text-primary", palette.TextPrimary.ToString()), ("text-secondary", palette.TextSecondary.ToString()),
            ("divider", palette.Divider.ToString()), ("lines-inputs", palette.LinesInputs.ToString()), ("table-lines", palette.TableLines.ToString()),
            ("info", palette.Info.ToString()), ("success", palette.Success.ToString()), ("warning", palette.Warning.ToString()), ("error", palette.Error.ToString()),
        ];
        return string.Concat(colors.Select(c => $"--mud-palette-{c.Name}:{c.Color};"));
    }
}
