namespace Vizsla.Studio.Pictures;

/// <summary>A picture to click on.</summary>
/// <param name="Name">What it shows.</param>
/// <param name="Address">Where its thumbnail is.</param>
/// <param name="Bytes">Its content, looked up when it is clicked.</param>
public sealed record PictureExample(string Name, string Address, Func<byte[]> Bytes);
