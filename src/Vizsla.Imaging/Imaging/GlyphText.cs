namespace Vizsla.Imaging;

/// <summary>Plain letters of 5 by 7 dots for machines without fonts; a character outside printable ASCII becomes a hollow box.</summary>
internal static class GlyphText
{
    /// <summary>Dots of a letter's height.</summary>
    public const int Height = 7;

    /// <summary>Dots from the left of a letter to the left of the next.</summary>
    public const int Advance = Columns + 1;

    private const int Columns = 5;
    private const byte Ink = 30;

    // Five columns for each character from the space on, two hexadecimal digits a column, lowest bit at the top.
    private const string Dots =
        "0000000000" + "00005F0000" + "0007000700" + "143E143E14" + "242A7F2A12" + "2313086462" + "3649552250" + "0000070000" +
        "001C224100" + "0041221C00" + "14083E0814" + "08083E0808" + "0050300000" + "0808080808" + "0060600000" + "2010080402" +
        "3E5149453E" + "00427F4000" + "4261514946" + "2141454B31" + "1814127F10" + "2745454539" + "3C4A494930" + "0171090503" +
        "3649494936" + "064949291E" + "0036360000" + "0056360000" + "0814224100" + "1414141414" + "0041221408" + "0201510906" +
        "324979413E" + "7E1111117E" + "7F49494936" + "3E41414122" + "7F4141221C" + "7F49494941" + "7F09090901" + "3E4149497A" +
        "7F0808087F" + "00417F4100" + "2040413F01" + "7F08142241" + "7F40404040" + "7F020C027F" + "7F0408107F" + "3E4141413E" +
        "7F09090906" + "3E4151215E" + "7F09192946" + "4649494931" + "01017F0101" + "3F4040403F" + "1F2040201F" + "3F4038403F" +
        "6314081463" + "0708700807" + "6151494543" + "007F414100" + "0204081020" + "0041417F00" + "0402010204" + "4040404040" +
        "0001020400" + "2054545478" + "7F48444438" + "3844444420" + "384444487F" + "3854545418" + "087E090102" + "0C5252523E" +
        "7F08040478" + "00447D4000" + "2040443D00" + "7F10284400" + "00417F4000" + "7C04180478" + "7C08040478" + "3844444438" +
        "7C14141408" + "081414187C" + "7C08040408" + "4854545420" + "043F444020" + "3C4040207C" + "1C2040201C" + "3C4030403C" +
        "4428102844" + "0C5050503C" + "4464544C44" + "0008364100" + "00007F0000" + "0041360800" + "0804081008";

    private const string Box = "7F4141417F";

    /// <summary>Writes dark text in a field; twice as large where it fits.</summary>
    /// <param name="sheet">Drawn on.</param>
    /// <param name="text">The text.</param>
    /// <param name="left">Left edge of the field.</param>
    /// <param name="top">Top edge of the field.</param>
    /// <param name="width">Width of the field.</param>
    /// <param name="height">Height of the field.</param>
    /// <param name="side">Where in the field it stands.</param>
    public static void Draw(Image sheet, string text, int left, int top, int width, int height, TextSide side = TextSide.Center)
    {
        var scale = text.Length * Advance * 2 <= width ? 2 : 1;
        text = LabelText.Fit(text, width, s => s.Length * Advance * scale);
        var room = Math.Max(width - text.Length * Advance * scale, 0);
        left += side switch
        {
            TextSide.Left => 0,
            TextSide.Right => room,
            _ => room / 2,
        };
        top += (height - Height * scale) / 2;
        foreach (var (x, y) in DotsOf(text))
        {
            for (var row = 0; row < scale; row++)
            {
                sheet.Row(top + y * scale + row).Slice(3 * (left + x * scale), 3 * scale).Fill(Ink);
            }
        }
    }

    /// <summary>The dots of a text: each letter is <see cref="Height"/> dots high and takes <see cref="Advance"/> dots of width.</summary>
    public static IEnumerable<(int X, int Y)> DotsOf(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            var glyph = text[i] is >= ' ' and <= '~' ? Dots.Substring(2 * Columns * (text[i] - ' '), 2 * Columns) : Box;
            for (var x = 0; x < Columns; x++)
            {
                var column = Convert.FromHexString(glyph.AsSpan(2 * x, 2))[0];
                for (var y = 0; y < Height; y++)
                {
                    if ((column >> y & 1) != 0)
                    {
                        yield return (i * Advance + x, y);
                    }
                }
            }
        }
    }
}
