using Vizsla.Imaging;

namespace Vizsla.Tests.Imaging;

public sealed class ContactSheetTests
{
    [Fact]
    public void Places_pictures_in_rows_on_white()
    {
        using var red = Flat(32, 32, 200, 0, 0);
        using var blue = Flat(64, 32, 0, 0, 200);

        using var sheet = ContactSheet.Draw([(red, ""), (blue, ""), (red, "")], columns: 2, cell: 32);

        Assert.Equal((8 + 2 * 40, 8 + 2 * 62), (sheet.Width, sheet.Height));
        Assert.Equal([255, 255, 255], At(sheet, 0, 0));
        Assert.Equal([200, 0, 0], At(sheet, 8 + 16, 8 + 16));
        Assert.Equal([0, 0, 200], At(sheet, 48 + 16, 8 + 16));
        Assert.Equal([255, 255, 255], At(sheet, 48 + 16, 8 + 2));
        Assert.Equal([200, 0, 0], At(sheet, 8 + 16, 70 + 16));
        Assert.Equal([255, 255, 255], At(sheet, 48 + 16, 70 + 16));
    }

    [Fact]
    public void Writes_a_label_below_its_picture()
    {
        using var red = Flat(64, 64, 200, 0, 0);

        using var sheet = ContactSheet.Draw([(red, "Vizsla 98.5 %")], cell: 128);

        var ink = 0;
        for (var y = 8 + 128; y < sheet.Height; y++)
        {
            ink += sheet.Row(y).ToArray().Count(value => value < 128);
        }

        Assert.InRange(ink, 60, 3000);
    }

    [Fact]
    public void Draws_letters_without_any_font()
    {
        using var sheet = Flat(40, 9, 255, 255, 255);

        GlyphText.Draw(sheet, "T", 0, 0, 11, 9);

        var rows = Enumerable.Range(0, 9).Select(y => string.Concat(Enumerable.Range(0, 13).Select(x => At(sheet, x, y)[0] < 128 ? '#' : '.')));
        Assert.Equal(
            [".............", "..#####......", "....#........", "....#........", "....#........", "....#........", "....#........", "....#........", "............."],
            rows);
    }

    [Fact]
    public void Cuts_a_long_label_with_dots()
    {
        var fitted = LabelText.Fit("german_shorthaired_pointer", 10, s => s.Length);

        Assert.Equal("german_...", fitted);
    }

    [Fact]
    public void Refuses_an_empty_sheet()
    {
        var error = Assert.Throws<ArgumentException>(() => ContactSheet.Draw([]));

        Assert.Equal("A contact sheet needs at least one picture. (Parameter 'pictures')", error.Message);
    }

    private static byte[] At(Image image, int x, int y) => image.Row(y).Slice(3 * x, 3).ToArray();

    private static Image Flat(int width, int height, byte red, byte green, byte blue)
    {
        var image = new Image(width, height);
        for (var i = 0; i < image.Pixels.Length; i += 3)
        {
            (image.Pixels[i], image.Pixels[i + 1], image.Pixels[i + 2]) = (red, green, blue);
        }

        return image;
    }
}
