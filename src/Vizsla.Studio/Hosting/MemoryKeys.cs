using System.Xml.Linq;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.DataProtection.Repositories;
using Microsoft.AspNetCore.DataProtection.XmlEncryption;
using Microsoft.Extensions.DependencyInjection;

namespace Vizsla.Studio.Hosting;

/// <summary>In-memory keys: nothing is written, and a page of an earlier process cannot talk to a new one.</summary>
/// <remarks>An ephemeral provider alone is not enough: the host makes a key in the user's folder when it starts, whoever asks for one later.</remarks>
internal sealed class MemoryKeys : IXmlRepository
{
    private readonly List<XElement> _keys = [];
    private readonly Lock _lock = new();

    /// <summary>Protects cookies and forms of an application by such keys.</summary>
    public static void Use(IServiceCollection services)
    {
        services.AddDataProtection();
        services.Configure<KeyManagementOptions>(options => (options.XmlRepository, options.XmlEncryptor) = (new MemoryKeys(), new NullXmlEncryptor()));
    }

    public IReadOnlyCollection<XElement> GetAllElements()
    {
        lock (_lock)
        {
            return [.. _keys.Select(key => new XElement(key))];
        }
    }

    public void StoreElement(XElement element, string friendlyName)
    {
        lock (_lock)
        {
            _keys.Add(new XElement(element));
        }
    }
}
