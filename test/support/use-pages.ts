/** The settings inside Pipedrive for the tests of a file, as a browser without scripts asks for them. */

import request from 'supertest';
import { iframeToken } from './api-fixture';
import type { UsedApi } from './use-api';

type Fields = Readonly<Record<string, string | readonly string[]>>;

export interface UsedPages {
  /** What an open page of a user carries. */
  pageToken(of?: { readonly companyId: number }, userId?: number): Promise<string>;
  /** A page below the settings. */
  open(path: string): Promise<request.Response>;
  /** A form, as the company's admin, or with another page's token. */
  send(path: string, fields: Fields, token?: string): Promise<request.Response>;
}

export function usePages(api: UsedApi): UsedPages {
  /** That of the page which the company's admin has open, as long as the test is of this company. */
  let opened: { readonly companyId: number; readonly token: Promise<string> } | undefined;
  const openToken = (): Promise<string> => {
    const { companyId } = api.tenant;
    if (opened?.companyId !== companyId) opened = { companyId, token: pages.pageToken() };
    return opened.token;
  };
  const pages: UsedPages = {
    async pageToken({ companyId } = api.tenant, userId = 1) {
      const query = { id: 'rt1', token: iframeToken({ userId, companyId }) };
      const { text } = await request(api.app).get('/extension/settings').query(query);
      return /name="page-token" content="([^"]+)"/.exec(text)?.[1] ?? '';
    },
    async open(path) {
      const asked = request(api.app).get(`/extension/settings/${path}`);
      return asked.set('Authorization', `Bearer ${await openToken()}`);
    },
    async send(path, fields, token) {
      const body = { pageToken: token ?? (await openToken()), ...fields };
      return request(api.app).post(`/extension/settings/${path}`).type('form').send(body);
    },
  };
  return pages;
}
